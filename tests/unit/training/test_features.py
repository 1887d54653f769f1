"""Features of clips on disk, and stages of a fit that a killed training need not repeat."""

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.training.feature_file import FeatureFile, transformed
from autotagging.training.features import TrainingClips, keep
from networks import checkpoints_in

IDS = np.arange(100, 200)


def compute(clip_ids):
    """Features that name their clip."""
    ids = np.asarray(clip_ids, np.float32)
    return np.broadcast_to(ids[:, None, None], (len(ids), 2, 3)).copy()


@pytest.mark.parametrize("left", [0, 1, 700, 24 * 33, 24 * 64, 24 * 100, 24 * 100 + 5])
def test_a_file_that_a_killed_training_left_is_completed(tmp_path, left):
    """Whatever was cut; what may not have reached the disk is computed again."""
    whole = FeatureFile(tmp_path / "whole.bin", IDS, compute)
    content = (tmp_path / "whole.bin").read_bytes()
    assert len(content) == 24 * len(IDS)
    calls = []

    def counted(clip_ids):
        calls.append(len(clip_ids))
        return compute(clip_ids)

    cut = tmp_path / "cut.bin"
    cut.write_bytes(content[:left])
    found = FeatureFile(cut, IDS, counted)
    assert cut.read_bytes() == content
    assert sum(calls) <= 1 + len(IDS) - left // 24 + 2 * 32
    np.testing.assert_array_equal(found.gather([150, 101]), whole.gather([150, 101]))
    assert found.gather([150, 101])[:, 0, 0].tolist() == [150, 101]
    assert found.shape == (2, 3)


def test_a_stage_is_computed_once(tmp_path):
    saved, calls = checkpoints_in(tmp_path), []

    def stage():
        calls.append(1)
        return {"mean": np.arange(3.0)}

    for _ in range(2):
        np.testing.assert_array_equal(keep(saved, "mean", stage)["mean"], np.arange(3.0))
    assert calls == [1]
    (path,) = tmp_path.glob("features-mean-*.npz")
    path.write_bytes(path.read_bytes()[:50])
    keep(saved, "mean", stage)
    assert calls == [1, 1]


def test_a_stage_that_is_not_finite_stops_the_training(tmp_path):
    with pytest.raises(UserError, match="features: mean: 'a' has values that are not finite"):
        keep(checkpoints_in(tmp_path), "mean", lambda: {"a": np.array([np.nan])})
    assert not [*tmp_path.glob("features-*")]


def test_features_of_other_settings_are_deleted_when_new_ones_are_there(tmp_path):
    """Until then, a run with the old settings finds them; checkpoints of epochs stay."""
    first = checkpoints_in(tmp_path)
    keep(first, "mean", lambda: {"a": np.zeros(1)})
    first.save({"step": np.array(1)})
    other = checkpoints_in(tmp_path, fingerprint="b")

    def compute():
        assert first.path_of("features-mean", ".npz").exists()
        return {"a": np.ones(1)}

    keep(other, "mean", compute)
    other_mean = other.path_of("features-mean", ".npz")
    assert [*tmp_path.glob("features-*")] == [other_mean]
    assert [*checkpoints_in(tmp_path).load()]
    other.save({"step": np.array(1)})
    assert [*tmp_path.glob("features-*")] == [other_mean]
    assert not [*checkpoints_in(tmp_path).load()]


def test_blocks_are_all_training_clips_in_order(tmp_path):
    def gather(clip_ids):
        ids = np.asarray(clip_ids, np.float16)
        return np.broadcast_to(ids[:, None, None], (len(ids), 2, 4))

    clips = TrainingClips(
        IDS, np.zeros((100, 1)), None, gather, 0, None, None, checkpoints_in(tmp_path)
    )
    for _ in range(2):
        blocks = [*clips.blocks()]
        assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
        assert np.concatenate(blocks)[:, 0, 0].tolist() == IDS.tolist()
    assert max(map(len, blocks)) == 32


def test_features_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    mel = rng.normal(size=(70, 5, 30)).astype(np.float16)
    matrix = rng.normal(size=(5, 40)).astype(np.float32)
    one, four = (
        transformed(lambda ids: mel[ids], lambda clip: clip.T @ matrix, threads=threads)
        for threads in (1, 4)
    )
    assert one(np.arange(70)).shape == (70, 30, 40)
    np.testing.assert_array_equal(one(np.arange(70)), four(np.arange(70)))


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (np.nan, np.float32, "clip 33: the model's features of it have values not finite"),
        (np.inf, np.float16, "clip 33: the model's features of it have values not finite"),
        (1e5, np.float16, "clip 33: .* above 65504, the largest of float16; scale them down"),
        (1e5, np.float32, None),
    ],
)
def test_a_clip_whose_features_are_not_finite_is_named(value, dtype, message):
    def transform(mel):
        return np.where(mel == 33, np.float32(value), mel)

    gather = transformed(lambda ids: ids.astype(np.float16)[:, None, None], transform, dtype=dtype)
    if message is None:
        assert gather(np.arange(40)).max() == value
        return
    with pytest.raises(UserError, match=message):
        gather(np.arange(40))
