"""What an evaluation is told: thresholds, bins, and how intervals are drawn (sec. III)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How scores are measured.

    Attributes
    ----------
    threshold
        Score above which a tag counts as given.
    precision_at
        Numbers k: precision is measured among the k tags of highest score of a clip.
    calibration_bins
        Bins of the score in which the share of right tags is counted.
    """

    threshold: float
    precision_at: list[int]
    calibration_bins: int


@dataclass(frozen=True)
class Bootstrap:
    """How confidence intervals are drawn.

    Attributes
    ----------
    resamples
        Resamples of the clips, and of the tracks.
    confidence
        Share of the resamples within an interval.
    bootstrap_seed
        Seed of the draws: the same for every model.
    """

    resamples: int
    confidence: float
    bootstrap_seed: int
