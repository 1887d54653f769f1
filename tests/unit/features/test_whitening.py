import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.features.whitening import Moments, whiten, whitening

EIGENVALUES = np.array([9.0, 4.0, 2.0, 0.5, 0.25, 0.2, 0.05, 0.001])


def rows_with(eigenvalues, count=4000, mean=50.0):
    """Rows whose covariance has exactly these eigenvalues, and its eigenvectors as columns."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((count, len(eigenvalues)))
    white -= white.mean(axis=0)
    white = np.linalg.svd(white, full_matrices=False)[0] * np.sqrt(count)
    directions = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))[0]
    return white * np.sqrt(eigenvalues) @ directions.T + mean, directions


def moments_of(*blocks):
    moments = Moments.zero(blocks[0].shape[1])
    for block in blocks:
        moments.add(block)
    return moments


def test_moments_are_those_of_the_rows_of_all_blocks():
    rows = np.random.default_rng(1).normal(60, 5, (20_000, 6)).astype(np.float32)
    moments = moments_of(rows[:9], rows[9:9], rows[9:])
    assert moments.count == 20_000
    assert moments.mean == pytest.approx(rows.mean(axis=0, dtype=np.float64), abs=1e-9)
    assert moments.covariance == pytest.approx(np.cov(rows.T, bias=True), abs=1e-6)


@pytest.mark.parametrize(("relative", "added"), [(False, 0.01), (True, 0.01 * EIGENVALUES.mean())])
def test_each_eigenvalue_l_becomes_l_over_l_plus_epsilon(relative, added):
    rows, _ = rows_with(EIGENVALUES)
    fit = whitening(moments_of(rows), retain=1.0, epsilon=0.01, relative=relative)
    white = whiten(rows, *fit)
    assert white.dtype == np.float32
    expected = np.diag(EIGENVALUES / (EIGENVALUES + added))
    assert np.cov(white.T, bias=True) == pytest.approx(expected, abs=1e-3)
    assert white.mean(axis=0) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("retain", "components"), [(0.5, 1), (0.56, 1), (0.57, 2), (0.9, 3), (1.0, 8), (1, 1), (5, 5)]
)
def test_components_reach_the_share_or_have_the_number(retain, components):
    # Shares of the variance: 9, 13, 15 of 16.001, which are .562, .812 and .937.
    rows, _ = rows_with(EIGENVALUES)
    _, matrix = whitening(moments_of(rows), retain=retain, epsilon=0)
    assert matrix.shape == (8, components)


def test_the_largest_entry_of_each_component_is_positive():
    rows, directions = rows_with(EIGENVALUES)
    _, matrix = whitening(moments_of(rows), retain=1.0, epsilon=0)
    for component, direction in zip(matrix.T, directions.T, strict=True):
        assert component[np.abs(component).argmax()] > 0
        cosine = component @ direction / np.linalg.norm(component)
        assert abs(cosine) == pytest.approx(1, abs=1e-5)


def test_of_two_equal_entries_the_first_is_positive():
    rows = np.array([[1, -1], [-1, 1], [2, -2], [-2, 2], [0.1, 0.1], [-0.1, -0.1]])
    _, matrix = whitening(moments_of(rows), retain=2, epsilon=0)
    assert np.sign(matrix).tolist() == [[1, 1], [-1, 1]]


def test_the_order_of_blocks_changes_rounding_alone():
    rows, _ = rows_with(EIGENVALUES)
    blocks = np.array_split(rows.astype(np.float32), 13)
    first, again, reverse = (
        whitening(moments_of(*some), retain=0.99, epsilon=0.01)
        for some in (blocks, blocks, blocks[::-1])
    )
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert reverse[0] == pytest.approx(first[0], rel=1e-6)
    assert reverse[1] == pytest.approx(first[1], abs=1e-6)


@pytest.mark.parametrize("retain", [1.0, 6])
def test_constant_dimensions_give_no_components(retain):
    rows = np.full((500, 6), -37.3, np.float32)
    rows[:, :3] += np.random.default_rng(2).standard_normal((500, 3), np.float32)
    mean, matrix = whitening(moments_of(rows), retain=retain, epsilon=0)
    assert matrix.shape == (6, 3)
    assert matrix[3:] == pytest.approx(0, abs=1e-6)
    assert np.cov(whiten(rows, mean, matrix).T) == pytest.approx(np.eye(3), abs=0.01)


def test_fewer_rows_than_dimensions_give_one_component_less_than_rows():
    rows = np.random.default_rng(3).normal(80, 10, (5, 96)).astype(np.float32)
    mean, matrix = whitening(moments_of(rows), retain=1.0, epsilon=0)
    assert matrix.shape == (96, 4)
    assert np.cov(whiten(rows, mean, matrix).T, bias=True) == pytest.approx(np.eye(4), abs=1e-3)


def test_frames_of_a_clip_are_whitened_at_once():
    rows, _ = rows_with(EIGENVALUES, count=60)
    fit = whitening(moments_of(rows), retain=3, epsilon=0.01)
    assert np.array_equal(
        whiten(rows.reshape(4, 15, 8), *fit), whiten(rows, *fit).reshape(4, 15, 3)
    )


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (np.eye(3), {"retain": 4}, "retain is 4 components; there are 3"),
        (np.eye(3), {"retain": 0}, "retain is 0"),
        (np.eye(3), {"retain": 1.5}, r"retain is 1\.5"),
        (np.eye(3), {"epsilon": -1}, "epsilon is -1"),
        (np.ones((3, 3)), {}, "do not vary"),
        (np.zeros((3, 3)), {}, "do not vary"),
        (np.zeros((0, 3)), {}, "no training clips"),
        (np.full((3, 3), np.nan), {}, "NaN"),
    ],
)
def test_whitening_that_is_not_defined_is_refused(rows, options, message):
    with pytest.raises(UserError, match=message):
        whitening(moments_of(rows), **({"retain": 0.9, "epsilon": 0.01} | options))
