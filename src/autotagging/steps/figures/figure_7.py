"""Fig. 7 of the paper (sec. III): learning curves and ROC curves."""

import pandas as pd

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import paper_row, read_each, read_metrics, read_runs
from autotagging.reporting.plots.curves import figure_7 as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def figure_7(
    *,
    history: flags.Histories = (),
    model_json: flags.ModelJsons = (),
    per_epoch: flags.PerEpochs,
    roc: flags.Rocs,
    metrics: flags.Metrics,
    published: flags.Published,
    figure_files: flags.Figure,
) -> None:
    """Fig. 7: ROC-AUC per epoch and ROC curve."""
    runs, _ = read_runs(history, model_json)
    results = [read_metrics(path) for path in metrics]
    aucs = ["roc_auc_macro", "roc_auc_micro"]
    epochs = ("epoch", "roc_auc_macro", "best", "last", "oracle")
    figure = draw(
        runs,
        read_each(roc, results, ("fpr", "macro", "micro")),
        pd.DataFrame(results)[["model", "seed", *aucs]].astype(dict.fromkeys(aucs, float)),
        test=read_each(per_epoch, results, epochs),
        cited_auc=paper_row(published)["roc_auc"],
        caption=run_caption(results),
    )
    save_figure(figure, figure_files)
