"""Spherical k-means: a dictionary of unit vectors, learnt from whitened rows.

Coates and Ng, "Learning feature representations with k-means", 2012.
"""

import numpy as np
from scipy import sparse

from autotagging.common.errors import UserError

_ROWS = 10_000  # compared with the centroids at a time


def spherical_kmeans(
    rows: np.ndarray, n_centroids: int, *, seed: int, iterations: int = 10
) -> np.ndarray:
    """Learn centroids of length 1 with the damped update of Coates and Ng.

    In each iteration, a row belongs to the centroid of the largest dot product, and each centroid
    becomes itself plus the sum of its rows, weighted by their dot products, scaled to length 1. A
    centroid without rows is replaced by a random row. Sums are float64.

    Parameters
    ----------
    rows : (rows, dims)
        Whitened rows of the training clips, not scaled to length 1.
    n_centroids
        Number of centroids.
    seed
        Seed of the first centroids, which are drawn from a normal distribution, and of the rows
        that replace empty ones.
    iterations
        Passes over the rows.

    Returns
    -------
    centroids : float32, (n_centroids, dims)
        Unit vectors. The linear encoding of rows is ``rows @ centroids.T``.

    Raises
    ------
    UserError
        If there are fewer rows that are not zero than centroids, or a value is not finite.
    """
    rows = np.asarray(rows, np.float32)
    if not np.isfinite(rows).all():
        raise UserError("The features of the training clips have NaN or infinite values.")
    usable = np.flatnonzero(rows.any(axis=1))
    if len(usable) < n_centroids:
        raise UserError(
            f"{len(usable)} rows of the training clips are too few for {n_centroids} centroids; "
            "set a smaller n_means, or train on more clips"
        )
    rng = np.random.default_rng(seed)
    centroids = _unit(rng.standard_normal((n_centroids, rows.shape[1])))
    for _ in range(iterations):
        sums, sizes = _weighted_sums(rows, centroids.astype(np.float32))
        centroids = _unit(centroids + sums)
        empty = np.flatnonzero(sizes == 0)
        drawn = rng.choice(usable, len(empty), replace=False)
        centroids[empty] = _unit(rows[drawn].astype(np.float64))
    return centroids.astype(np.float32)


def nearest(rows: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Assign rows to the centroids of the largest dot product.

    Parameters
    ----------
    rows : (rows, dims)
    centroids : (centroids, dims)

    Returns
    -------
    assigned : int64, (rows,)
        Position of each row's centroid.
    similarity : (rows,)
        Dot product of each row and its centroid.
    """
    similarities = rows @ centroids.T
    assigned = similarities.argmax(axis=1)
    return assigned, np.take_along_axis(similarities, assigned[:, None], axis=1)[:, 0]


def _weighted_sums(rows: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum the rows of each centroid, weighted by similarity; and count them."""
    sums = np.zeros(centroids.shape)
    sizes = np.zeros(len(centroids), np.int64)
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        assigned, similarity = nearest(part, centroids)
        weights = sparse.csr_array(
            (similarity.astype(np.float64), (assigned, np.arange(len(part)))),
            shape=(len(centroids), len(part)),
        )
        sums += weights @ part.astype(np.float64)
        sizes += np.bincount(assigned, minlength=len(centroids))
    return sums, sizes


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
