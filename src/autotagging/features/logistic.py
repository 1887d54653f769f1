"""Logistic regression with an L2 penalty, one for each tag (scikit-learn)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from autotagging.features.standardize import MeanAndDeviation

_ITERATIONS = 1000
_ROWS = 1024  # converted to float64 at a time, for the moments


@dataclass(frozen=True)
class Regressions:
    """Logistic regressions on features that are not standardized.

    Attributes
    ----------
    kernel : float32, (features, tags)
    bias : float32, (tags,)
    strength
        Strength of the penalty: see `fit_logistic`.
    """

    kernel: np.ndarray
    bias: np.ndarray
    strength: float


def choose_logistic(
    train: np.ndarray,
    labels: np.ndarray,
    validation: np.ndarray,
    validation_labels: np.ndarray,
    *,
    strengths: Sequence[float],
) -> Regressions:
    """Fit regressions with several strengths of the penalty; choose by the validation loss.

    The features are standardized by the training clips, so that the penalty treats all alike. The
    loss is the mean over clips and tags. Weaker penalties take longer: the search ends with the
    first that raises the loss. In memory is a copy of the training features as float64.

    Parameters
    ----------
    train, validation : (clips, features)
    labels, validation_labels : (clips, tags)
        0 and 1.
    strengths
        Strengths to compare, from the strongest.
    """
    moments = MeanAndDeviation()
    for start in range(0, len(train), _ROWS):
        moments.add(train[start : start + _ROWS])
    mean, deviation = moments.mean, moments.deviation
    scale = np.divide(1.0, deviation, out=np.zeros(len(mean)), where=deviation > 0)
    rows = train - mean
    rows *= scale
    best, lowest = None, np.inf
    for strength in strengths:
        kernel, bias = fit_logistic(rows, labels, strength=strength)
        kernel = kernel * scale[:, None]
        bias = bias - mean @ kernel
        loss = cross_entropy(validation @ kernel + bias, validation_labels)
        if loss >= lowest:
            break
        lowest = loss
        best = Regressions(kernel.astype(np.float32), bias.astype(np.float32), strength)
    return best


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Compute the mean binary cross-entropy of logits, (clips, tags), in nats."""
    return float((np.logaddexp(0, logits) - labels * logits).mean())


def fit_logistic(
    features: np.ndarray, labels: np.ndarray, *, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit regressions by L-BFGS.

    A tag whose labels are all the same gets a kernel of zeros and the log-odds of its smoothed
    share: half a clip is added to each class.

    Parameters
    ----------
    features : (clips, features)
        Standardized.
    labels : (clips, tags)
        0 and 1.
    strength
        Factor of half the squared norm of the kernel, next to the mean log-loss.

    Returns
    -------
    kernel : float32, (features, tags)
    bias : float32, (tags,)
    """
    clips, tags = labels.shape
    features = features.astype(np.float64, copy=False)
    kernel, bias = np.zeros((features.shape[1], tags), np.float32), np.zeros(tags, np.float32)
    for tag in range(tags):
        positives = labels[:, tag].sum()
        if positives in (0, clips):
            bias[tag] = np.log((positives + 0.5) / (clips - positives + 0.5))
            continue
        fitted = LogisticRegression(C=1.0 / (strength * clips), max_iter=_ITERATIONS)
        fitted.fit(features, labels[:, tag])
        kernel[:, tag], bias[tag] = fitted.coef_[0], fitted.intercept_[0]
    return kernel, bias
