import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from autotagging.common.errors import UserError
from autotagging.features import codebook
from autotagging.features.compression import power
from autotagging.features.pooling import level_maxima
from autotagging.features.pyramid import multiscale
from autotagging.features.spherical_kmeans import spherical_kmeans
from autotagging.features.whitening import Moments, whiten, whitening
from training_clips import Clips, audible_clips, not_kept

MEL, _ = audible_clips()
OPTIONS = {
    "representation": "laplacian",
    "n_levels": 3,
    "n_means": 12,
    "sample_frames": 1000,
    "retain": 0.99,
    "epsilon": 1e-4,
    "iterations": 5,
    "pool_frames": 40,
}
CUT = {"representation": "laplacian", "pool_frames": 40}


def fit(clips=None, **changes):
    return codebook.fit_codebook(clips or Clips(MEL), seed=0, keep=not_kept, **(OPTIONS | changes))


def features(mel, arrays, **changes):
    return codebook.window_maxima(mel, arrays, **(CUT | changes))


@pytest.mark.parametrize("representation", ["laplacian", "gaussian", "multiresolution"])
def test_the_features_are_maxima_of_each_window(representation):
    arrays = fit(representation=representation)
    assert arrays["codebook"].shape == (3, 24, 12)
    windows = np.stack([features(mel, arrays, representation=representation) for mel in MEL])
    assert windows.shape == (16, 4, 36)
    assert windows.dtype == np.float32
    assert windows.std(axis=(0, 1)).min() > 0


def test_the_codebook_is_whitening_and_dictionary_in_one():
    """The same as whitening, encoding and pooling one after another, with all frames as sample."""
    by_clip = [multiscale(power(mel), representation="laplacian", n_levels=3) for mel in MEL]
    encoded = [[] for _ in MEL]
    for levels in zip(*by_clip, strict=True):
        moments = Moments.zero(24)
        for level in levels:
            moments.add(level.values)
        mean, matrix = whitening(moments, retain=0.99, epsilon=1e-4, relative=True)
        rows = [whiten(level.values, mean, matrix) for level in levels]
        centroids = spherical_kmeans(np.concatenate(rows), 12, seed=0, iterations=5)
        for clip, level, whitened in zip(encoded, levels, rows, strict=True):
            clip.append(level._replace(values=whitened @ centroids.T))
    maxima = np.stack([level_maxima(clip, window_frames=40) for clip in encoded])
    arrays = fit(sample_frames=10**6)
    found = np.stack([features(mel, arrays) for mel in MEL])
    # The mean that whitening subtracts is left out: it shifts a feature of all windows alike.
    expected, found = (each - each.mean(axis=(0, 1)) for each in (maxima, found))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_fit_reads_the_clips_once_and_gives_the_same_bytes_again():
    clips = Clips(MEL)
    with threadpool_limits(1, user_api="blas"):
        first, second = fit(clips), fit(clips)
    assert clips.passes == 2
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_silent_and_short_clips_have_finite_features():
    arrays = fit()
    silence = np.full((24, 160), -np.inf, np.float32)
    assert np.isfinite(features(silence, arrays)).all()
    short = features(MEL[0, :, :39], arrays)
    assert short.shape == (1, 36)
    repeated = np.concatenate([MEL[0, :, :39], MEL[0, :, :1]], axis=1)
    np.testing.assert_array_equal(short, features(repeated, arrays))


def test_silent_clips_among_the_training_clips_do_no_harm():
    arrays = fit(Clips(np.concatenate([MEL, np.full((4, 24, 160), -100, np.float32)])))
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_too_many_levels_or_means_are_explained():
    arrays = fit(n_levels=8)
    with pytest.raises(UserError, match="set fewer levels"):
        features(MEL[0], arrays)
    with pytest.raises(UserError, match="too few for 2000 centroids"):
        fit(n_means=2000)


def test_multiply_adds_of_levels_at_the_full_rate():
    """Level k has 2**k - 1 frames fewer than the clip."""
    count = codebook.multiply_adds(
        {"codebook": np.empty((6, 96, 500))},
        mel_bins=96,
        frames=1366,
        representation="multiresolution",
        pool_frames=141,
    )
    assert count == (6 * 1366 - (1 + 3 + 7 + 15 + 31)) * 96 * 500
