import json
import math
import re

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.common.files import sha256
from autotagging.dataset.windows import Windows
from autotagging.tagging.bundle import (
    Description,
    Tagger,
    load_tagger,
    model_files,
    read_description,
)
from autotagging.tagging.errors import AudioError
from autotagging.tagging.front_end import librosas_filters
from autotagging.tagging.songs import score_windows, tag_song
from autotagging.tagging.trained import tag_properties
from bundles import FRONT_END, RATE, tone, write_bundle, write_song


def edit(folder, **changes):
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def sign(folder):
    """Give bundle.json the checksums of the files that are there."""
    edit(folder, sha256={name: sha256(folder / name) for name in ("model.onnx", "mel.npz")})


def sigmoid(levels):
    return 1 / (1 + np.exp(-(levels + 70) / 10))


def test_scores_are_those_of_the_network_on_the_spectrogram(tmp_path):
    tagger = load_tagger(write_bundle(tmp_path))
    waveform = tone(2, 440)
    mel = tagger.front_end.log_mel(waveform)
    expected = sigmoid(np.array([mel[:64].mean(), mel[64:].mean()]))
    np.testing.assert_allclose(tagger.scores(waveform), expected, atol=1e-6)
    assert expected[0] > 0.6 > expected[1]


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (tone(1.9, 440), r"waveform is float32 of shape \(22800,\); expected 24000 samples, 2 s"),
        (tone(2, 440)[None], r"waveform is float32 of shape \(1, 24000\); expected 24000 samples"),
        ((32767 * tone(2, 440)).astype(np.int16), "waveform is int16 of .*from -1 to 1, as float"),
        (np.full(24_000, np.nan, np.float32), "NaN or infinite samples; expected 24000 samples"),
    ],
)
def test_what_is_no_window_of_a_song_is_refused(tmp_path, waveform, message):
    tagger = load_tagger(write_bundle(tmp_path))
    with pytest.raises(ValueError, match=message):
        tagger.scores(waveform)


def test_the_folder_of_a_bundle_may_be_text(tmp_path):
    assert load_tagger(str(write_bundle(tmp_path))).description == read_description(tmp_path)


def test_the_scores_of_a_song_are_means_over_its_windows(tmp_path):
    tagger = load_tagger(write_bundle(tmp_path))
    path = write_song(tmp_path / "song.wav", tone(4, 440), tone(2, 4000))
    song, starts, scores = score_windows(path, tagger)
    assert starts.tolist() == [0, 2, 4]
    result = tag_song(path, tagger, keep_windows=True)
    assert [*result["scores"]] == ["low", "high"]
    np.testing.assert_allclose([*result["scores"].values()], scores.mean(axis=0), atol=1e-6)
    assert result["window_starts"] == [0, 2, 4]
    np.testing.assert_allclose(result["window_scores"], scores, atol=1e-6)
    assert (result["seconds"], result["windows"], result["hop"]) == (song.seconds, 3, 2.0)
    assert scores[0, 0] > scores[0, 1]
    assert scores[2, 0] < scores[2, 1]


def test_windows_of_silence_do_not_count(tmp_path):
    tagger = load_tagger(write_bundle(tmp_path))
    alone = tag_song(write_song(tmp_path / "a.wav", tone(2, 440)), tagger)
    path = write_song(tmp_path / "b.wav", tone(2, 440), np.zeros(20 * RATE))
    result = tag_song(path, tagger)
    assert (result["seconds"], result["windows"]) == (22, 1)
    assert result["scores"] == alone["scores"]


def test_tags_are_those_at_their_thresholds_with_the_best_first():
    described = Description(
        "m", 0, "d", ("a", "b", "c"), FRONT_END, (96, 94), thresholds={"a": 0.3, "b": 0.8}
    )
    assert described.chosen({"a": 0.3, "b": 0.79, "c": 0.9}) == ["c", "a"]
    assert described.chosen({"a": 0.29, "b": 0.79, "c": 0.49}) == []


def test_a_network_of_short_windows_scores_their_mean(tmp_path):
    whole = load_tagger(write_bundle(tmp_path))
    described = Description(
        "m", 0, "d", ("x",), FRONT_END, (96, 40), windows=Windows(40, scored=None)
    )
    seen = []

    def network(mel):
        seen.append(mel)
        return np.arange(len(mel), dtype=np.float32)[:, None]

    waveform = tone(2, 440)
    scores = Tagger(described, whole.front_end, network).scores(waveform)
    assert scores.tolist() == [0.5]
    mel = whole.front_end.log_mel(waveform)
    np.testing.assert_array_equal(seen[0], np.stack([mel[:, :40], mel[:, 40:80]]))


@pytest.mark.parametrize("score", [np.nan, np.inf, 1.001, -0.001])
def test_a_score_that_is_none_is_an_error_of_the_song(tmp_path, score):
    whole = load_tagger(write_bundle(tmp_path))
    wrong = Tagger(whole.description, whole.front_end, lambda _: np.array([[0.5, score]]))
    path = write_song(tmp_path / "song.wav", tone(2, 440))
    with pytest.raises(AudioError, match="the network gave scores that are not from 0 to 1") as no:
        tag_song(path, wrong)
    assert no.value.kind == "failed"


def test_a_score_that_was_rounded_is_within_its_range(tmp_path):
    whole = load_tagger(write_bundle(tmp_path))
    over = Tagger(whole.description, whole.front_end, lambda _: np.array([[-1e-7, 1 + 1e-7]]))
    path = write_song(tmp_path / "song.wav", tone(2, 440))
    assert tag_song(path, over)["scores"] == {"low": 0, "high": 1}
    assert score_windows(path, over)[2].tolist() == [[0, 1]]


def test_a_bundle_says_what_it_is(tmp_path):
    described = read_description(write_bundle(tmp_path) / "bundle.json")
    assert (described.tags, described.window_seconds) == (("low", "high"), 2.0)
    assert described.categories == {"low": "genre", "high": "mood"}
    assert described.threshold("low") == 0.6
    write_bundle(tmp_path, thresholds={})
    assert read_description(tmp_path).threshold("low") == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thresholds": {"low": "high"}}, "the threshold of 'low' is 'high', not from 0 to 1"),
        ({"thresholds": {"lo": 0.5}}, "`thresholds` has 'lo', which is no tag of the model"),
        ({"tags": ["a", "a"]}, "`tags` is no list of different names"),
        ({"tags": ["low", "b\u2028"]}, r"`tags` has 'b\\u2028', which has a character"),
        ({"sha256": {}}, r"model\.onnx: not the file of"),
        ({"tags": ["low", "high", "loud"]}, "not the network that bundle.json describes"),
        ({"windows": {"frames": "all"}}, "entry 'frames' is of type str"),
        ({"front_end": {}}, "no entry 'sample_rate'"),
        ({"thresholds": {"low": True}}, "the threshold of 'low' is True, not from 0 to 1"),
        ({"categories": {"low": ["x"]}}, r"the category of 'low' is \['x'\], not a text"),
        ({"tags": ["lo\x1b[31mw", "high"]}, r"`tags` has 'lo\\x1b\[31mw', which has a character"),
        ({"tags": ["\ud800", "high"]}, r"`tags` has '\\ud800', which has a character"),
        ({"input_shape": ["a", 94]}, "`input_shape` is not 96 bins by 94 frames; export the model"),
        ({"input_shape": [94, 96]}, "`input_shape` is not 96 bins by 94 frames"),
        ({"windows": {"frames": 0, "scored": None}}, "`windows` has frames 0 and scored None"),
        ({"windows": {"frames": 94, "scored": 10**9}}, "`windows` has frames 94 and scored 10000"),
        ({"windows": {"frames": 94, "scored": -1}}, "`windows` has frames 94 and scored -1, which"),
        ({"windows": {"frames": 95, "scored": 1}}, "`input_shape` is not 96 bins by 95 frames"),
    ],
)
def test_a_bundle_that_does_not_fit_together_is_refused(tmp_path, changes, message):
    edit(write_bundle(tmp_path), **changes)
    with pytest.raises(UserError, match=message):
        load_tagger(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("seconds", value) for value in (math.inf, math.nan, 0, -1, 1e300, True)),
        *(("sample_rate", value) for value in (0, -1, 10**30, True)),
        *((name, value) for name in ("hop_length", "n_fft", "n_mels") for value in (0, -2, True)),
        ("n_fft", 511),
        ("log_scale", "x"),
        *(("power_floor", value) for value in ("x", 0, math.nan)),
    ],
)
def test_a_front_end_that_can_not_be_is_refused(tmp_path, name, value):
    edit(write_bundle(tmp_path), front_end={**FRONT_END, name: value})
    message = f"`front_end` has {name} {value!r}, which can't be; export the model again"
    with pytest.raises(UserError, match=re.escape(message)):
        read_description(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("seconds", 1e-9), ("seconds", 1), ("hop_length", 10**30)]
)
def test_a_front_end_of_other_spectrograms_is_refused(tmp_path, name, value):
    edit(write_bundle(tmp_path), front_end={**FRONT_END, name: value})
    with pytest.raises(UserError, match=r"less than a sample|`input_shape` is not 96 bins by"):
        read_description(tmp_path)


FILTERS = librosas_filters(FRONT_END)


@pytest.mark.parametrize(
    "arrays",
    [
        {"filters": FILTERS["filters"]},
        {**FILTERS, "more": FILTERS["window"]},
        {**FILTERS, "filters": FILTERS["filters"][:, :5]},
        {**FILTERS, "window": FILTERS["window"][:0]},
        {**FILTERS, "filters": FILTERS["filters"] * np.nan},
        {**FILTERS, "window": FILTERS["window"].astype(str)},
    ],
    ids=["lacks", "more", "filters", "window", "nan", "text"],
)
def test_filters_of_another_front_end_are_refused(tmp_path, arrays):
    write_bundle(tmp_path)
    np.savez(tmp_path / "mel.npz", **arrays)
    sign(tmp_path)
    with pytest.raises(UserError, match=r"mel\.npz: not the filters of the front end that bundle"):
        load_tagger(tmp_path)


def test_a_network_with_other_names_is_refused(tmp_path):
    write_bundle(tmp_path)
    onnx = pytest.importorskip("onnx")
    network = onnx.load(tmp_path / "model.onnx")
    network.graph.input[0].name = network.graph.node[0].input[0] = "x"
    onnx.save(network, tmp_path / "model.onnx")
    sign(tmp_path)
    with pytest.raises(UserError, match=r"model\.onnx: not the network that bundle\.json describe"):
        load_tagger(tmp_path)


def test_a_tag_may_have_any_letter(tmp_path):
    tags = ["a\u00a0b", "👩\u200d🎤"]
    edit(write_bundle(tmp_path), tags=tags, thresholds={}, categories={})
    assert [*read_description(tmp_path).tags] == tags


def test_the_files_of_a_model_are_known(tmp_path):
    bundle = write_bundle(tmp_path / "bundle")
    names = {"bundle.json", "model.onnx", "mel.npz", "SHA256SUMS"}
    for path in (bundle, bundle / "bundle.json"):
        assert {*model_files(path)} == {bundle / name for name in names}
    trained = tmp_path / "results/train/crnn/seed-0"
    trained.mkdir(parents=True)
    (trained / "model.json").touch()
    files = {trained / name for name in ("model.json", "weights.npz", "per_tag.csv", "SHA256SUMS")}
    assert {*model_files(trained)} == files
    table = tmp_path / "results/evaluate/crnn/seed-0/per_tag.csv"
    table.parent.mkdir(parents=True)
    table.touch()
    assert {*model_files(trained / "model.json")} == {*files, table}


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"neither a bundle, .* nor a trained model"):
        read_description(tmp_path)
    write_bundle(tmp_path)
    (tmp_path / "bundle.json").unlink()
    with pytest.raises(UserError, match="write it anew with `autotagging export`"):
        read_description(tmp_path)


def test_thresholds_are_those_of_the_evaluation_of_the_same_results(tmp_path):
    model_json = tmp_path / "train/crnn/seed-0/model.json"
    table = tmp_path / "evaluate/crnn/seed-0/per_tag.csv"
    table.parent.mkdir(parents=True)
    assert tag_properties(model_json, ["a", "b"]) == ({}, {})
    table.write_text("tag,category,threshold\nb,mood,0.25\na,genre,0.0\n")
    # A tag that would be given to every clip keeps the usual threshold.
    assert tag_properties(model_json, ["a", "b"]) == ({"a": "genre", "b": "mood"}, {"b": 0.25})
    with pytest.raises(UserError, match="no row of 'c'"):
        tag_properties(model_json, ["a", "c"])
    given = tmp_path / "given.csv"
    given.write_text("tag\na\nb\n")
    assert tag_properties(model_json, ["a", "b"], per_tag=given) == ({}, {})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("tag,threshold\na,25\n", "the threshold of 'a' is 25, not from 0 to 1"),
        ("tag,threshold\na,-0.1\n", "the threshold of 'a' is -0.1, not from 0 to 1"),
        ("tag,threshold\na,nan\n", "the threshold of 'a' is nan, not from 0 to 1"),
        ('tag,threshold\na,"0,2"\n', "a threshold is not a number"),
        ("name,threshold\na,0.2\n", "no column 'tag'; expected tag, category, threshold"),
        ("tag;threshold\na;0.2\n", "no column 'tag'; expected"),
        ("", "no column 'tag'; expected"),
    ],
)
def test_a_table_of_thresholds_that_is_not_right_is_refused(tmp_path, table, message):
    (tmp_path / "per_tag.csv").write_text(table)
    with pytest.raises(UserError, match=rf"per_tag\.csv: {message}"):
        tag_properties(tmp_path / "model.json", ["a"])


def test_a_table_of_thresholds_may_come_from_a_spreadsheet(tmp_path):
    (tmp_path / "per_tag.csv").write_text("tag,threshold\na,0.2\n", encoding="utf-8-sig")
    assert tag_properties(tmp_path / "model.json", ["a"]) == ({}, {"a": 0.2})
