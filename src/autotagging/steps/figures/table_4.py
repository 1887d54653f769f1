"""Table 4 of the paper (sec. III): models of this run and published models."""

from autotagging.reporting.captions import brackets, clips_caption, undefined_resamples
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
            f"Macro ROC-AUC, the mean over tags. {brackets(runs)} {clips_caption(runs)}.",
            measured.drop(columns=hidden),
            f"{undefined_resamples(runs)}Compare accuracy with that of “no” to every tag, and loss "
            "with that of each tag's share.",
        ),
        Part(
            "Cited",
            "ROC-AUC as published; not all publications state how they average over tags.",
            cited.assign(roc_auc=digits).drop(columns=hidden),
            "Comparable with paper: a run on MagnaTagATune with the paper's split and tags. The "
            "paper states neither set nor epoch of its AUC; the two numbers in its note were "
            "counted on its clips.",
        ),
    ]
    caption = "Table 4. ROC-AUC measured here and as published."
    save_table(table, table_files, caption=caption, shown=parts)
