"""PCA whitening, from moments that are summed in one pass over the training clips."""

from dataclasses import dataclass

import numpy as np

from autotagging.common.errors import UserError

_ROWS = 8192  # converted to float64 at a time
_TIE = 1e-6  # entries that are equal but for rounding


@dataclass
class Moments:
    """Number, sum and sum of outer products of rows, in float64.

    The same blocks in the same order give the same bits.

    Attributes
    ----------
    count
        Number of rows.
    total : float64, (dims,)
        Sum of the rows.
    products : float64, (dims, dims)
        Sum of the outer products of the rows with themselves.
    """

    count: int
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def zero(cls, dims: int) -> "Moments":
        """Moments of no rows of `dims` values."""
        return cls(0, np.zeros(dims), np.zeros((dims, dims)))

    def add(self, rows: np.ndarray) -> None:
        """Add rows: (rows, dims)."""
        for start in range(0, len(rows), _ROWS):
            part = np.asarray(rows[start : start + _ROWS], np.float64)
            self.count += len(part)
            self.total += part.sum(axis=0)
            self.products += part.T @ part

    @property
    def mean(self) -> np.ndarray:
        """Mean of the rows: float64, (dims,)."""
        return self.total / self.count

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the rows, divided by their number: float64, (dims, dims)."""
        return self.products / self.count - np.outer(self.mean, self.mean)

    @property
    def rounding(self) -> float:
        """Variance along a direction below which it may be rounding error."""
        power = np.trace(self.products) / self.count
        return float(len(self.total) * np.finfo(np.float64).eps * power)


def whitening(
    moments: Moments, *, retain: float | int, epsilon: float, relative: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Fit PCA whitening: principal components, divided by their deviation.

    The variance of a whitened component is l / (l + epsilon), where l is its eigenvalue of the
    covariance. The largest entry of each eigenvector is positive, so that its sign does not depend
    on the linear algebra library. Directions in which the rows do not vary are left out.

    Parameters
    ----------
    moments
        Moments of the rows of the training clips.
    retain
        If a float, the share of the variance to keep, above 0 and at most 1; the number of
        components is the smallest that reaches it. If an integer, the number of components; there
        are fewer where the rows vary in fewer directions.
    epsilon
        Regularization, added to the eigenvalues; in the squared unit of the rows.
    relative
        Whether `epsilon` is in units of the mean eigenvalue over all dimensions.

    Returns
    -------
    mean : float32, (dims,)
    matrix : float32, (dims, components)
        Components by decreasing eigenvalue. See `whiten`.

    Raises
    ------
    UserError
        If `retain` or `epsilon` is out of range, there are no rows, a value is not finite, or the
        rows do not vary.

    References
    ----------
    Coates and Ng, "Learning feature representations with k-means", 2012.
    """
    _validate(moments, retain=retain, epsilon=epsilon)
    values, vectors = np.linalg.eigh(moments.covariance)
    values, vectors = values[::-1], vectors[:, ::-1]
    rank = int(np.count_nonzero(values > moments.rounding))
    if rank == 0:
        raise UserError("The features of the training clips do not vary: whitening is not defined.")
    if relative:
        epsilon *= np.trace(moments.covariance) / len(values)
    if isinstance(retain, int):
        kept = min(retain, rank)
    else:
        shares = np.cumsum(values[:rank]) / values[:rank].sum()
        kept = min(int(np.searchsorted(shares, retain)) + 1, rank)
    values, vectors = values[:kept], _with_signs(vectors[:, :kept])
    matrix = vectors / np.sqrt(values + epsilon)
    return moments.mean.astype(np.float32), matrix.astype(np.float32)


def whiten(rows: np.ndarray, mean: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Whiten rows: (..., dims) to float32, (..., components); see `whitening`."""
    return (np.asarray(rows, np.float32) - mean) @ matrix


def _validate(moments: Moments, *, retain: float | int, epsilon: float) -> None:
    dims = len(moments.total)
    if isinstance(retain, int) and not 1 <= retain <= dims:
        raise UserError(f"retain is {retain} components; there are {dims} dimensions.")
    if not isinstance(retain, int) and not 0 < retain <= 1:
        raise UserError(f"retain is {retain}; a share of the variance is above 0 and at most 1.")
    if not 0 <= epsilon < np.inf:
        raise UserError(f"epsilon is {epsilon}; it must be 0 or more.")
    if moments.count == 0:
        raise UserError("There are no training clips to fit whitening to.")
    if not (np.isfinite(moments.total).all() and np.isfinite(moments.products).all()):
        raise UserError("The features of the training clips have NaN or infinite values.")


def _with_signs(vectors: np.ndarray) -> np.ndarray:
    """Make the largest absolute entry of each column positive; of equal ones, the first."""
    sizes = np.abs(vectors)
    largest = np.argmax(sizes >= sizes.max(axis=0) * (1 - _TIE), axis=0)
    return vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
