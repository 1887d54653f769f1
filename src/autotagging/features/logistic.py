"""Logistic regression with an L2 penalty, one for each tag (scikit-learn)."""

import numpy as np
from sklearn.linear_model import LogisticRegression

_ITERATIONS = 1000


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
    features = features.astype(np.float64)
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
