"""Fig. 6 of the paper (sec. III): predicted and actual tags of one clip."""

import numpy as np

from autotagging.common.errors import UserError
from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_metrics, read_predictions
from autotagging.reporting.plots.clip_tags import figure_6 as draw
from autotagging.reporting.plots.clip_tags import median_clip
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def figure_6(
    *,
    predictions: flags.Predictions,
    metrics: flags.OneMetrics,
    clip_id: flags.MedianClip = None,
    figure_files: flags.Figure,
) -> None:
    """Fig. 6: tags of a clip, predicted and actual."""
    arrays = read_predictions(predictions)
    run = read_metrics(metrics)
    chosen = clip_id
    if chosen is None:
        chosen = median_clip(
            arrays["clip_id"], arrays["scores"], arrays["labels"], threshold=run["threshold"]
        )
    rows = np.flatnonzero(arrays["clip_id"] == chosen)
    if not len(rows):
        raise UserError(f"{predictions}: clip {chosen} is not a test clip; choose another")
    which = "; the test clip of median accuracy" if clip_id is None else ""
    figure = draw(
        arrays["scores"][rows[0]],
        arrays["labels"][rows[0]],
        [str(tag) for tag in arrays["tags"]],
        clip_id=chosen,
        threshold=run["threshold"],
        caption=f"{run_caption([run])}{which}",
    )
    save_figure(figure, figure_files)
