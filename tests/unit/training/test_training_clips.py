"""What a fit of features does with the training clips."""

from dataclasses import replace

import numpy as np
import pytest

from autotagging.common.errors import UserError
from training_clips import audible_clips, training_clips

pytest.importorskip("tensorflow")


def network(n_features, n_tags):
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((n_features,))
    return keras.Model(inputs, keras.layers.Dense(n_tags, activation="sigmoid")(inputs))


def windows(mel):
    return mel.T.reshape(4, 40, -1).mean(axis=1) / 40 + 1


def test_a_network_learns_the_same_from_a_file_and_from_memory(tmp_path):
    mel, labels = audible_clips()
    weights = []
    for name in ("file", "memory"):
        clips = training_clips(tmp_path / name, mel, labels)
        features = clips.stored("pooled", windows)
        assert features.shape == (4, 24)
        in_memory = features.gather(clips.clip_ids)
        gather = features.gather if name == "file" else lambda ids: in_memory[ids - 10]  # noqa: B023
        learner = network(24, 3)
        clips.learn("network", learner, gather, labels)
        weights.append(learner.get_weights())
    for of_file, of_memory in zip(*weights, strict=True):
        np.testing.assert_array_equal(of_file, of_memory)


def test_stored_features_are_those_of_the_clips_and_of_others(tmp_path):
    mel, _ = audible_clips(40)
    clips = training_clips(tmp_path, mel, np.zeros((30, 3)))
    clips = replace(clips, clip_ids=clips.clip_ids[:30])
    features = clips.stored("pooled", windows, others=range(40, 50))
    expected = np.stack([windows(mel[i].astype(np.float16).astype(np.float32)) for i in (39, 2)])
    np.testing.assert_array_equal(features.gather([49, 12]), expected)
    np.testing.assert_array_equal([*features.each([49, 12])], expected)
    halved = features.finished(lambda each: each / 2)([49, 12])
    np.testing.assert_array_equal(halved, (expected / 2).astype(np.float16))


@pytest.mark.parametrize(("count", "held_out"), [(2, [1]), (9, [8]), (10, [9]), (25, [9, 19])])
def test_every_tenth_clip_is_held_out_and_always_one(tmp_path, monkeypatch, count, held_out):
    from autotagging.training import loop

    seen = []
    monkeypatch.setattr(loop, "fit", lambda network, *subsets, **_: seen.append(subsets))
    mel, labels = audible_clips(count)
    training_clips(tmp_path, mel, labels).learn("network", None, None, labels)
    ((train, validation, _),) = seen
    assert (validation.clip_ids - 10).tolist() == held_out
    assert sorted([*train.clip_ids - 10, *held_out]) == list(range(count))


def test_one_clip_is_nothing_to_learn_from(tmp_path):
    mel, labels = audible_clips(2)
    with pytest.raises(UserError, match="source: clips to learn from: 1; expected 2 or more"):
        training_clips(tmp_path, mel, labels).learn("source", None, None, labels[:1])


def test_a_file_of_features_that_was_cut_is_an_error(tmp_path):
    mel, labels = audible_clips()
    features = training_clips(tmp_path, mel, labels).stored("pooled", windows)
    (path,) = tmp_path.rglob("*.bin")
    path.write_bytes(path.read_bytes()[:-1])
    assert np.isfinite(features.gather([10, 24])).all()
    with pytest.raises(UserError, match=r"bin: shorter than it was written; delete it"):
        features.gather([25])
