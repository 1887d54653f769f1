"""Settings of an evaluation: threshold, bins and confidence intervals (sec. III)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of the metrics.

    Attributes
    ----------
    threshold
        Score above which a tag is predicted.
    precision_at
        Numbers k of highest-scored tags of a clip among which precision is measured.
    calibration_bins
        Number of bins of the score in the calibration.
    """

    threshold: float
    precision_at: list[int]
    calibration_bins: int


@dataclass(frozen=True)
class Bootstrap:
    """Settings of the confidence intervals.

    Attributes
    ----------
    resamples
        Number of bootstrap resamples, of the clips, the tracks and the artists.
    confidence
        Confidence level: share of the resamples within an interval.
    bootstrap_seed
        Seed of the bootstrap, the same for every model.
    """

    resamples: int
    confidence: float
    bootstrap_seed: int
