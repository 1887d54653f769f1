import numpy as np
import pandas as pd
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import write_json
from autotagging.models.transfer.features import multiply_adds_transfer
from autotagging.training.features import fit_features
from conftest import write_shards
from training_clips import audible_clips, training_clips

OPTIONS = {
    "representation": "laplacian",
    "n_levels": 3,
    "n_means": 12,
    "sample_frames": 1000,
    "retain": 0.99,
    "epsilon": 1e-4,
    "iterations": 5,
    "pool_frames": 40,
    "source": "other_tags",
    "control": "none",
    "hidden": 20,
    "dropout": 0.2,
}
FRONT_END = {
    "sample_rate": 12_000,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 24,
    "frames": 160,
    "seconds": 3.4,
    "log_scale": "power_db",
}
MEL, LABELS = audible_clips()
OTHERS = np.stack([LABELS[:, 0], LABELS[:, 1] * LABELS[:, 2], 0 * LABELS[:, 0]], axis=1)
"""Labels of three tags that are not kept, of which the last has no positive."""


def feature_model(**changes):
    return models.feature_model("transfer", **(OPTIONS | changes))


def fit(folder, *, labels=LABELS, other_labels=OTHERS, front_end=FRONT_END, audio="a", **changes):
    folder.mkdir(exist_ok=True)
    clips = training_clips(
        folder,
        MEL,
        labels,
        other_labels=other_labels,
        front_end=front_end,
        audio_sha256=audio,
        learning_rate=0.01,
    )
    return fit_features(feature_model(**changes), clips).arrays


def features(arrays, mel=MEL):
    return np.stack([feature_model().transform(clip, arrays) for clip in mel])


def same(arrays, others):
    return arrays.keys() == others.keys() and all(
        np.array_equal(array, others[name]) for name, array in arrays.items()
    )


@pytest.mark.parametrize(("control", "dims"), [("none", 20), ("random", 20), ("features", 36)])
def test_a_linear_classifier_overfits_a_few_clips(tmp_path, control, dims):
    from sklearn.metrics import roc_auc_score

    arrays = fit(tmp_path, control=control)
    found = features(arrays)
    assert found.shape == (16, 1, dims)
    assert found.dtype == np.float32
    weights = feature_model().solve(found, LABELS, found, LABELS)
    network = models.build("transfer", input_shape=(dims,), n_tags=3, **OPTIONS)
    network.set_weights(weights)
    assert roc_auc_score(LABELS, network.predict(found[:, 0], verbose=0)) > 0.99


def test_the_classifier_has_one_layer():
    network = models.build("transfer", input_shape=(1000,), n_tags=50, **OPTIONS)
    assert network.count_params() == 50_050


def test_the_features_do_not_depend_on_the_kept_tags(tmp_path):
    arrays = fit(tmp_path / "a")
    assert same(arrays, fit(tmp_path / "b", labels=1 - LABELS[::-1]))
    untrained = fit(tmp_path / "c", control="random")
    assert not np.array_equal(arrays["kernel"], untrained["kernel"])


def test_a_stopped_fit_goes_on_where_it_was(tmp_path, monkeypatch):
    clips, others = (
        training_clips(tmp_path / name, MEL, LABELS, other_labels=OTHERS) for name in "ab"
    )
    expected = fit_features(feature_model(), clips).arrays
    with monkeypatch.context() as patched:
        patched.setattr(type(others), "learn", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fit_features(feature_model(), others)
    assert same(expected, fit_features(feature_model(), others).arrays)
    # All stages are kept now: nothing is computed.
    monkeypatch.setattr(type(others), "blocks", None)
    monkeypatch.setattr(type(others), "learn", None)
    assert same(expected, fit_features(feature_model(), others).arrays)


def test_a_corpus_without_other_tags_needs_another_source(tmp_path):
    for other_labels in (OTHERS[:, :0], OTHERS[:, 2:]):
        with pytest.raises(UserError, match=r"set train\.transfer\.source"):
            fit(tmp_path, other_labels=other_labels)
    assert "kernel" in fit(tmp_path, other_labels=OTHERS[:, :0], control="random")


@pytest.fixture
def other_corpus(tmp_path):
    """Results folder of another corpus: clips 5 to 17, of which 5 has no spectrogram."""
    folder = tmp_path / "results"
    for step in ("download", "extract_mel", "merge_tags"):
        (folder / step).mkdir(parents=True)
    rng = np.random.default_rng(1)
    clips = {clip: rng.normal(-40, 8, (24, 160)).astype(np.float16) for clip in range(6, 18)}
    write_shards(folder / "extract_mel", {5: None, **clips})
    write_json({"sha256": "b"}, folder / "download/audio.json")
    write_json(FRONT_END, folder / "extract_mel/front_end.json")
    table = pd.DataFrame(
        {"clip_id": range(5, 18), "mp3_path": "a.mp3", "calm": [0, 1, *[0, 1] * 5, 0]}
    )
    table.to_csv(folder / "merge_tags/labels.csv", index=False)
    return folder


def test_another_corpus_may_be_the_source(tmp_path, other_corpus):
    source = str(other_corpus)
    arrays = fit(tmp_path / "a", source=source, other_labels=None)
    assert features(arrays).shape == (16, 1, 20)
    own = fit(tmp_path / "b", control="features")
    assert not np.array_equal(arrays["codebook"], own["codebook"])


def test_another_corpus_with_another_front_end_is_refused(tmp_path, other_corpus):
    with pytest.raises(UserError, match="n_fft is 512, but 1024 for this corpus"):
        fit(tmp_path / "a", source=str(other_corpus), front_end=FRONT_END | {"n_fft": 1024})


def test_this_corpus_is_no_other_corpus(tmp_path, other_corpus):
    with pytest.raises(UserError, match="the same audio as this corpus, test clips included"):
        fit(tmp_path / "a", source=str(other_corpus), audio="b")


def test_another_corpus_without_tags_is_refused(tmp_path, other_corpus):
    path = other_corpus / "merge_tags/labels.csv"
    pd.read_csv(path).assign(calm=0).to_csv(path, index=False)
    with pytest.raises(UserError, match="no clip with a spectrogram has a tag"):
        fit(tmp_path / "a", source=str(other_corpus))


def test_a_source_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="neither other_tags nor a folder"):
        fit(tmp_path, source="other_tag")


def test_silent_and_short_clips_have_finite_features(tmp_path):
    arrays = fit(tmp_path)
    silence = np.full((1, 24, 160), -np.inf, np.float32)
    assert np.isfinite(features(arrays, silence)).all()
    assert features(arrays, MEL[:1, :, :30]).shape == (1, 1, 20)


def test_multiply_adds():
    arrays = {"codebook": np.empty((6, 96, 500)), "kernel": np.empty((3000, 1000))}
    size = {"mel_bins": 96, "frames": 1366}
    cut = {"representation": "laplacian", "pool_frames": 141}
    assert multiply_adds_transfer(arrays, **size, **cut) == 129_168_000 + 9 * 3_000_000
    del arrays["kernel"]
    assert multiply_adds_transfer(arrays, **size, **cut) == 129_168_000
