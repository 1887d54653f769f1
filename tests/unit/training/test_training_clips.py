"""What a fit of features does with the training clips."""

import numpy as np
import pytest

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
        inputs = features if name == "file" else features[np.arange(16)]
        learner = network(24, 3)
        clips.learn("network", learner, inputs, labels)
        weights.append(learner.get_weights())
    for of_file, of_memory in zip(*weights, strict=True):
        np.testing.assert_array_equal(of_file, of_memory)


def test_stored_features_are_those_of_the_clips_at_the_positions(tmp_path):
    mel, labels = audible_clips(40)
    features = training_clips(tmp_path, mel, labels).stored("pooled", windows)
    expected = np.stack([windows(mel[i].astype(np.float16).astype(np.float32)) for i in (39, 2)])
    np.testing.assert_array_equal(features[[39, 2]], expected.astype(np.float16))
