"""Exports for other tools: stock layers, compared before anything is written."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.mel.spectrogram import log_mel
from autotagging.models.stored import save_model, weights_of
from autotagging.tagging.bundle import load_tagger
from autotagging.tagging.songs import score_windows
from autotagging.tools import export as exporting
from bundles import write_song
from networks import crnn_options, model_description

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training

FRONT_END = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}


def write_model(folder: Path, *, tags=("a", "b"), **changes) -> Path:
    """Write a small network with random weights and moving statistics."""
    options = crnn_options(**changes)
    network = models.build("crnn", input_shape=(96, 94), n_tags=2, **options)
    rng = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(rng.uniform(0.05, 0.15, weight.shape))
    described = model_description("crnn", options, tags)
    save_model(folder / "model.json", folder / "weights.npz", described, weights_of(network))
    return folder / "model.json"


@pytest.mark.parametrize(
    "options",
    [
        {"input_norm": "frequency"},
        {"input_norm": "time", "gru_gates": "hard_sigmoid"},
        {"gru_reset_after": False},
        {"padding_side": "end", "padding_value": -100.0, "input_norm": "none"},
        {"padding_side": "start", "padding_value": 0.5},
    ],
)
def test_every_kind_of_crnn_is_exported_in_stock_layers(tmp_path, options):
    out = tmp_path / "out"
    exporting.export(model_json=write_model(tmp_path, **options), out=out)
    loaded = keras.saving.load_model(out / "model.keras", safe_mode=True)
    gates = options.get("gru_gates", "sigmoid")
    assert loaded.get_layer("gru_1").get_config()["recurrent_activation"] == gates
    said = "weights are 1.2 times those of the trained model" in (out / "README.md").read_text()
    assert said == (gates == "hard_sigmoid")
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)
    assert loaded.count_params() == sum(
        array.size for array in exporting.load_model(tmp_path / "model.json").arrays.values()
    )


def test_a_layer_that_keras_has_nothing_like_is_named():
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    network = keras.Sequential([keras.Input((3,)), Twice(name="twice")])
    with pytest.raises(UserError, match="layer 'twice', Twice: no such layer in Keras"):
        exporting.stock_network(network)


def test_a_file_that_scores_otherwise_is_not_written(tmp_path, monkeypatch):
    def of_other_weights(network):
        copy = keras.models.clone_model(network)
        copy.set_weights([0.9 * weight for weight in network.get_weights()])
        return copy

    monkeypatch.setattr(exporting, "stock_network", of_other_weights)
    with pytest.raises(UserError, match=r"model\.keras: its scores differ from the model's by"):
        exporting.export(model_json=write_model(tmp_path), out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_model_that_no_tagger_would_read_is_not_exported(tmp_path):
    model_json, out = write_model(tmp_path, tags=("a", "b\x85")), tmp_path / "out"
    with pytest.raises(UserError, match=r"model\.json: `tags` has 'b\\x85', which has a"):
        exporting.export(model_json=model_json, out=out)
    assert not out.exists()


def test_a_bundle_and_its_model_tag_a_song_with_the_same_scores(tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra `export` is not installed")
    (tmp_path / "per_tag.csv").write_text("tag,category,threshold\na,genre,0.25\nb,mood,0.75\n")
    model_json = write_model(tmp_path)
    exporting.export(model_json=model_json, out=tmp_path / "bundle")
    rng = np.random.default_rng(0)
    song = write_song(tmp_path / "song.flac", 0.1 * rng.standard_normal(60_000))
    bundle, trained = load_tagger(tmp_path / "bundle"), load_tagger(tmp_path)
    assert bundle.description == trained.description
    assert bundle.description.thresholds == {"a": 0.25, "b": 0.75}
    _, starts, scores = score_windows(song, bundle)
    np.testing.assert_allclose(scores, score_windows(song, trained)[2], atol=1e-4)
    waveform, _ = soundfile.read(song, dtype="float32")
    mel = log_mel(waveform[24_000:48_000], **FRONT_END, log_scale="power_db")
    network = exporting.build_network(exporting.load_model(model_json))
    assert starts.tolist() == [0, 2]
    np.testing.assert_allclose(scores[1], network(mel[None])[0], atol=1e-4)


def test_a_bundle_without_thresholds_says_so(tmp_path, capsys):
    pytest.importorskip("tf2onnx", reason="the extra `export` is not installed")
    exporting.export(model_json=write_model(tmp_path), out=tmp_path / "out")
    first = capsys.readouterr().err.splitlines()[0]
    assert first == (
        "warning: per_tag.csv has no thresholds, or is missing, so that all are 0.5; --per-tag "
        "names another table"
    )


def test_no_operator_is_left_that_onnx_runtime_is_slow_at(tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra `export` is not installed")
    onnx = pytest.importorskip("onnx")
    exporting.export(model_json=write_model(tmp_path), out=tmp_path / "out")
    operators = [node.op_type for node in onnx.load(tmp_path / "out" / "model.onnx").graph.node]
    assert "Elu" not in operators
    assert operators.count("Exp") == 4


def test_without_an_onnx_exporter_a_line_says_so_and_no_old_file_stays(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(exporting, "_ONNX_NEEDS", ("no_such_exporter",))
    out = tmp_path / "out"
    out.mkdir()
    (out / "model.onnx").touch()
    model_json = write_model(tmp_path)
    exporting.export(model_json=model_json, out=out)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "model.keras", "tags.txt"]
    first = capsys.readouterr().err.splitlines()[0]
    assert first == (
        "model.onnx is left out; it needs no_such_exporter: pip install -e '.[export]'"
    )


def test_a_readme_of_another_kind_is_not_replaced(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UserError, match=r"has a README\.md, but no exported model"):
        exporting.export(model_json=write_model(tmp_path), out=tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("frames", "scored", "starts"),
    [(40, None, [0, 40]), (40, 3, [0, 27, 54]), (60, None, [0]), (200, None, [0])],
)
def test_the_readme_says_where_the_windows_of_a_clip_begin(tmp_path, frames, scored, starts):
    stored = exporting.load_model(write_model(tmp_path))
    assert "the log-mel spectrogram of a clip.\n" in exporting._describe(stored, None)
    options = {"window_frames": frames, "windows_per_clip": 1, "score_windows": scored}
    stored.description.update(options=options, input_shape=[96, frames])
    text = exporting._describe(stored, None)
    assert f"(batch, 96, {frames}): the log-mel spectrogram of a window of a clip.\n" in text
    mel = np.random.default_rng(0).normal(size=(96, 94))
    found = {"numpy": np, "mel": mel}
    exec("\n".join(re.findall(r"^    (.+)$", text, re.MULTILINE)), found)
    assert found["starts"] == starts
    np.testing.assert_array_equal(found["windows"], models.windows(options).even(mel[None])[0])


def test_a_model_on_features_is_refused(tmp_path):
    path = write_model(tmp_path)
    path.write_text(path.read_text().replace('"crnn"', '"statistics"'))
    with pytest.raises(UserError, match="'statistics' is no network on spectrograms; only those"):
        exporting.export(model_json=path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_readme_begins_with_the_model_card(tmp_path):
    stored = exporting.load_model(write_model(tmp_path))
    card = tmp_path / "card.md"
    card.write_text(f"---\nlicense: mit\n---\n\n# Card\n\n{stored.description['weights_sha256']}\n")
    text = exporting._describe(stored, card)
    assert text.startswith("---\nlicense: mit\n---\n\n# Card\n")
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Card"]
    assert "\n## crnn, seed 0: 2 tags of music\n" in text
    assert "\n### Input\n" in text
    card.write_text("# of another model")
    with pytest.raises(UserError, match=r"card\.md: not the model card of .*model\.json"):
        exporting.export(model_json=stored.path, out=tmp_path / "out", card=card)
