"""EvaluationSettings of an evaluation: threshold, bins and confidence intervals (sec. III)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluationSettings:
    """EvaluationSettings of the metrics.

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
    """EvaluationSettings of the confidence intervals.

    Attributes
    ----------
    resamples
        Number of bootstrap resamples, of the clips and of the tracks.
    confidence
        Confidence level: share of the resamples within an interval.
    bootstrap_seed
        Seed of the bootstrap, the same for every model.
    """

    resamples: int
    confidence: float
    bootstrap_seed: int
