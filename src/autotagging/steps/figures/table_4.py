"""Table 4 of the paper (sec. III): this run and published models."""

from autotagging.reporting.captions import brackets, clips_caption
from autotagging.reporting.inputs import read_metrics, read_published
from autotagging.reporting.tables.files import Part, save_table
from autotagging.reporting.tables.published import CITED, MEASURED
from autotagging.reporting.tables.published import table_4 as make_table
from autotagging.steps.figures import flags


def table_4(
    *,
    metrics: flags.Metrics,
    published: flags.Published,
    table_files: flags.Table,
) -> None:
    """Table 4: comparison with published models."""
    runs = [read_metrics(path) for path in metrics]
    table = make_table(runs, read_published(published))
    measured, cited = (table[table["source"] == source] for source in (MEASURED, CITED))
    hidden = ["source", "corpus", "best_epoch"]
    digits = cited["roc_auc"].map(lambda area: f"{area:.4f}".removesuffix("0"))
    parts = [
        Part(
            "Measured here",
            "Macro ROC-AUC (the mean over tags). Accuracy is to be read beside that of “no” to "
            "every tag, loss beside that of each tag's share. "
            f"{brackets(runs)} {clips_caption(runs)}.",
            measured.drop(columns=hidden),
        ),
        Part(
            "Cited",
            "ROC-AUC as published; not all say how they average it over tags. Comparable: with a "
            "run on MagnaTagATune with the paper's split and tags.",
            cited.assign(roc_auc=digits).drop(columns=hidden),
        ),
    ]
    caption = "Table 4. ROC-AUC measured here, and as others published it."
    save_table(table, table_files, caption=caption, shown=parts)
