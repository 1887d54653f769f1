import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.features.spherical_kmeans import nearest, spherical_kmeans


def planted(n_directions=8, per_direction=400, dims=8, seed=0):
    """Rows along orthogonal directions, on both sides, of varied length, and the directions."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((dims, dims)))[0][:n_directions]
    lengths = rng.uniform(1, 3, (n_directions, per_direction, 1))
    rows = (lengths * directions[:, None]).reshape(-1, dims)
    rows += 0.05 * rng.standard_normal(rows.shape)
    return rng.permutation(rows).astype(np.float32), directions


def test_planted_directions_are_recovered():
    rows, directions = planted()
    centroids = spherical_kmeans(rows, 24, seed=0)
    assert (directions @ centroids.T).max(axis=1).min() > 0.99


def test_opposite_directions_have_separate_centroids():
    rows, directions = planted(n_directions=3)
    centroids = spherical_kmeans(np.concatenate([rows, -rows]), 24, seed=0)
    cosines = np.concatenate([directions, -directions]) @ centroids.T
    assert cosines.max(axis=1).min() > 0.99


def test_a_centroid_moves_by_its_weighted_rows():
    rng = np.random.default_rng(1)
    start = rng.standard_normal((1, 3))
    start /= np.linalg.norm(start)
    rows = np.array([[0.1, 0.2, 0.3], [-0.4, 0.1, 0.0]], np.float32)
    expected = start + (rows @ start.T * rows).sum(axis=0)
    moved = spherical_kmeans(rows, 1, seed=1, iterations=1)
    assert moved == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


def test_isotropic_rows_fill_all_clusters():
    rows = np.random.default_rng(2).standard_normal((20_500, 30), np.float32)
    centroids = spherical_kmeans(rows, 50, seed=0)
    sizes = np.bincount(nearest(rows, centroids)[0], minlength=50)
    assert sizes.min() > 0
    assert sizes.max() < 0.1 * len(rows)
    assert np.linalg.norm(centroids, axis=1) == pytest.approx(1, abs=1e-6)
    assert centroids.dtype == np.float32


def test_empty_clusters_are_replaced_by_rows():
    """Rows on one side of the origin leave most random centroids empty at first."""
    rng = np.random.default_rng(4)
    rows = (20 + rng.standard_normal((2000, 40))).astype(np.float32)
    centroids = spherical_kmeans(rows, 30, seed=0)
    assert np.bincount(nearest(rows, centroids)[0], minlength=30).min() > 0


def test_ten_iterations_are_enough():
    rows = np.random.default_rng(5).laplace(size=(10_000, 20)).astype(np.float32)
    ten, eleven = (spherical_kmeans(rows, 50, seed=0, iterations=n) for n in (10, 11))
    assert (ten * eleven).sum(axis=1).mean() > 0.995


def test_the_same_seed_gives_the_same_bits():
    rows, _ = planted()
    first, again, other = (spherical_kmeans(rows, 20, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_silent_rows_change_nothing_and_constant_dimensions_stay_zero():
    rows, _ = planted()
    rows[:, 5] = 0
    rows[::7] = 0
    centroids = spherical_kmeans(rows, 20, seed=0, iterations=20)
    assert np.isfinite(centroids).all()
    assert np.abs(centroids[:, 5]).max() < 0.01


@pytest.mark.parametrize(
    ("rows", "message"),
    [(np.eye(3), "3 rows .* too few for 4"), (np.full((9, 3), np.nan), "NaN or infinite")],
)
def test_rows_that_give_no_dictionary_are_refused(rows, message):
    with pytest.raises(UserError, match=message):
        spherical_kmeans(rows, 4, seed=0)
