"""How well a model ranks the validation clips, by which parameters are chosen (sec. III)."""

from typing import Any

import numpy as np

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.metrics.bootstrap import Sampling, mean_over_tags, resample_areas
from autotagging.metrics.intervals import limits
from autotagging.metrics.settings import Bootstrap
from autotagging.training.epoch_metrics import has_both_classes


def validation_summary(
    labels: np.ndarray, scores: np.ndarray, artist: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Measure the macro ROC-AUC on the validation clips, with its interval by artists.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    scores : (clips, tags)
        0 to 1.
    artist : (clips,)
        Number of each clip's artist.
    bootstrap
        Number of resamples, confidence and seed.

    Returns
    -------
    summary
        roc_auc_macro (None where no tag has both classes), n_clips, n_tags_scored, and intervals
        in the form of `intervals.intervals`: low and high, or None where undefined or with fewer
        than two artists; and groups, the number of artists.
    """
    sampling = Sampling(artist, bootstrap.resamples, bootstrap.bootstrap_seed)
    areas = resample_areas(labels, np.asarray(scores, np.float64), sampling).roc_auc
    means = mean_over_tags(areas)
    shown = limits("roc_auc_macro", means, bootstrap.confidence)
    return {
        "roc_auc_macro": None if np.isnan(means[0]) else float(means[0]),
        "n_clips": len(labels),
        "n_tags_scored": int(has_both_classes(labels).sum()),
        "intervals": {INTERVAL_UNIT: {"roc_auc_macro": shown, "groups": sampling.n_groups}},
    }
