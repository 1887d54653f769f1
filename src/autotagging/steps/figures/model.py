"""Figures and tables of what is built and trained: architecture, front end, epochs."""

import pandas as pd

from autotagging.reporting import plots
from autotagging.reporting.inputs import (
    paper_row,
    read_each,
    read_metrics,
    read_model,
    read_runs,
    run_caption,
)
from autotagging.reporting.layers import padded_frames
from autotagging.reporting.tables import results as result_tables
from autotagging.reporting.tables import setup as tables
from autotagging.reporting.tables.files import save_table
from autotagging.steps.figures import flags


def table_1(
    *,
    model_json: flags.ModelJson,
    table_files: flags.Table,
) -> None:
    """Make the table of the front end's parameters."""
    model = read_model(model_json)
    table = tables.table_1(model["front_end"], padded_frames=padded_frames(model["architecture"]))
    caption = f"Table 1. Preprocessing parameters, of the paper and here. {run_caption([model])}."
    save_table(table, table_files, caption=caption)


def table_2(
    *,
    model_json: flags.ModelJson,
    table_files: flags.Table,
) -> None:
    """Make the table of the shapes of a model's layers."""
    model = read_model(model_json)
    caption = (
        f"Table 2. Specification of the {model['model']}, of the paper and as built: channels x "
        f"mel bins x frames; {model['trainable_parameters']:,} trainable parameters. "
        f"{run_caption([model])}."
    )
    save_table(tables.table_2(model["architecture"]), table_files, caption=caption)


def figure_4(*, model_json: flags.ModelJson, figure_files: flags.Figure) -> None:
    """Draw the architecture of a model."""
    model = read_model(model_json)
    caption = (
        f"{model['trainable_parameters']:,} trainable parameters; shapes are mel bins x frames x "
        f"channels. {run_caption([model])}"
    )
    plots.save_figure(plots.figure_4(model["architecture"], caption=caption), figure_files)


def figure_5(
    *,
    history: flags.Histories,
    model_json: flags.ModelJsons,
    figure_files: flags.Figure,
) -> None:
    """Draw the loss per epoch."""
    runs, models = read_runs(history, model_json)
    plots.save_figure(plots.figure_5(runs, caption=run_caption(models)), figure_files)


def figure_7(
    *,
    history: flags.Histories,
    model_json: flags.ModelJsons,
    per_epoch: flags.PerEpochs,
    roc: flags.Rocs,
    metrics: flags.Metrics,
    published: flags.Published,
    figure_files: flags.Figure,
) -> None:
    """Draw ROC-AUC per epoch, and the ROC curve."""
    runs, _ = read_runs(history, model_json)
    results = [read_metrics(path) for path in metrics]
    aucs = ["roc_auc_macro", "roc_auc_micro"]
    epochs = ("epoch", "roc_auc_macro", "best", "last", "oracle")
    figure = plots.figure_7(
        runs,
        read_each(roc, results, ("fpr", "macro", "micro")),
        pd.DataFrame(results)[["model", "seed", *aucs]].astype(dict.fromkeys(aucs, float)),
        test=read_each(per_epoch, results, epochs),
        cited_auc=paper_row(published)["roc_auc"],
        caption=run_caption(results),
    )
    plots.save_figure(figure, figure_files)


def epoch_choices(*, metrics: flags.Metrics, table_files: flags.Table) -> None:
    """Make the table of what each choice of an epoch gives on the test clips."""
    results = [read_metrics(path) for path in metrics]
    caption = (
        "Test clips at each epoch that a published number might be of; the paper doesn't say which "
        "it used. The best on test is known where all epochs are kept (train.keep_epochs). "
        f"{run_caption(results)}."
    )
    save_table(result_tables.epoch_choices(results), table_files, caption=caption)
