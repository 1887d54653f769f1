"""Table 4 of the paper (sec. III): models of this run and published models."""

import pandas as pd

from autotagging.reporting.captions import brackets, clips_caption, undefined_resamples
from autotagging.reporting.inputs import read_published, read_results
from autotagging.reporting.tables.counts import as_published, millions, whole
from autotagging.reporting.tables.files import Part, save_table
from autotagging.reporting.tables.published import CITED, MEASURED, OF_PAPER
from autotagging.reporting.tables.published import table_4 as make_table
from autotagging.steps.figures import flags

_OF_RUN = ["tags", "split", "comparable_with_paper", "note"]
_SHOWN = ["method", "model", "roc_auc", "roc_auc_std", "roc_auc_low", "roc_auc_high"]
_SHOWN += ["cited by the paper", "year", "accuracy", "accuracy_std", "loss", "loss_std"]
_SHOWN += ["seeds", "epochs", "parameters", "million multiply-adds per clip"]
_NUMBERS = ("roc_auc", "accuracy", "loss")
_HIDDEN = ["source", "group", "model", "corpus", "best_epoch"]


def table_4(
    *,
    metrics: flags.Metrics,
    model_json: flags.AllModelJsons,
    published: flags.Published,
    table_files: flags.Table,
) -> None:
    """Table 4: comparison with published models."""
    runs = read_results(metrics, model_json)
    table = make_table(runs, read_published(published))
    measured, cited = (table[table["source"] == source] for source in (MEASURED, CITED))
    of_paper = measured["group"] == OF_PAPER
    shown = _with_texts(measured)
    systems, systems_alike = _without_repeats(shown[of_paper])
    others, others_alike = _without_repeats(shown[~of_paper].drop(columns="model"))
    numbers = {name: cited[name].map(as_published, na_action="ignore") for name in _NUMBERS}
    parts = [
        Part(
            "Measured here: systems of the paper's Table 4",
            f"Macro ROC-AUC, the mean over tags. {brackets(runs)} {clips_caption(runs)}.",
            systems,
            f"{systems_alike}{undefined_resamples(runs)}Cited by the paper: the number in its "
            "Table 4, whose rows differ in tags, split and clips; see Cited. Multiply-adds: to "
            "score one clip from its spectrogram.",
        ),
        Part(
            "Measured here: for orientation",
            "Models that the paper's Table 4 does not have, and audio-blind baselines.",
            others,
            f"{others_alike}Compare accuracy with that of “no” to every tag, and loss with that of "
            "each tag's share.",
        ),
        Part(
            "Cited",
            "ROC-AUC as published; not all publications state how they average over tags.",
            cited.assign(**numbers).drop(columns=_HIDDEN),
            "Comparable with paper: a run on MagnaTagATune with the paper's split and tags. The "
            "paper states neither clips, epoch nor kind of mean of its AUC; the numbers in its "
            "note were counted on its clips.",
        ),
    ]
    parts = [part for part in parts if len(part.table)]
    caption = "Table 4. ROC-AUC measured here and as published."
    save_table(table, table_files, caption=caption, shown=parts)


def _with_texts(measured: pd.DataFrame) -> pd.DataFrame:
    """Choose the columns of measured rows for readers, with counts as texts."""
    texts = measured.assign(
        **{
            "cited by the paper": measured["paper_roc_auc"].map(as_published, na_action="ignore"),
            "parameters": measured["trainable_parameters"].map(whole),
            "million multiply-adds per clip": measured["multiply_adds"].map(millions),
        }
    )
    return texts[[*_SHOWN, *_OF_RUN]]


def _without_repeats(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Move what is the same in all rows from columns to a sentence."""
    alike = [name for name in _OF_RUN if rows[name].nunique(dropna=False) == 1]
    texts = {name.replace("_", " "): rows[name].iloc[0] for name in alike}
    listed = "; ".join(f"{name}: {text}" for name, text in texts.items() if text)
    return rows.drop(columns=alike), f"All rows: {listed}. " if listed else ""
