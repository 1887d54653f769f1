"""Labels and scores of the test clips, and their metrics (sec. III).

Thresholds are chosen on validation clips, never on test clips.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotagging.metrics import averages
from autotagging.metrics.decisions import best_thresholds
from autotagging.metrics.settings import EvaluationSettings


@dataclass(frozen=True)
class Scores:
    """Scores of one model or baseline.

    Attributes
    ----------
    test, validation : float, (clips, tags)
        Scores of the clips of these subsets, 0 to 1.
    """

    test: np.ndarray
    validation: np.ndarray


@dataclass(frozen=True)
class TestSet:
    """Labels that scores are compared with.

    Attributes
    ----------
    tags : (tags,)
        Names of the tags.
    test, validation : (clips, tags)
        Labels, 0 and 1.
    settings
        EvaluationSettings of the metrics.
    """

    tags: Sequence[str]
    test: np.ndarray
    validation: np.ndarray
    settings: EvaluationSettings

    def tag_thresholds(self, scores: Scores) -> np.ndarray:
        """Thresholds of highest F1 on the validation clips: (tags,)."""
        otherwise = self.settings.threshold
        return best_thresholds(self.validation, scores.validation, otherwise=otherwise)

    def measure(self, scores: Scores) -> dict[str, Any]:
        """Evaluate scores on the test clips; see `averages.evaluate`."""
        return averages.evaluate(
            self.test,
            scores.test,
            self.tags,
            threshold=self.settings.threshold,
            tag_thresholds=self.tag_thresholds(scores),
            precision_at=self.settings.precision_at,
            calibration_bins=self.settings.calibration_bins,
        )
