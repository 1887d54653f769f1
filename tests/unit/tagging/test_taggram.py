import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.bundle import Description
from autotagging.tagging.taggram import levels, spans, strongest, text, window_at
from autotagging.tagging.taggram_figure import save, taggram_figure
from autotagging.tools.taggram import taggram
from bundles import FRONT_END, tone, write_bundle, write_song

DESCRIBED = Description(
    "m", 0, "d", ("a", "b", "c"), FRONT_END, (96, 94), thresholds={"a": 0.6, "b": 0.2, "c": 1.0}
)  # windows of 2 s


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.mark.parametrize(
    ("starts", "seconds", "expected"),
    [
        # The middles are 1, 2 and 3; the ends of the song belong to the first and the last window.
        ([0, 1, 2], 4.0, [[0, 1.5], [1.5, 2.5], [2.5, 4]]),
        ([0, 1, 1.6], 3.6, [[0, 1.5], [1.5, 2.3], [2.3, 3.6]]),
        ([0], 1.0, [[0, 1]]),
        ([0.4], 2.8, [[0, 2.8]]),  # cropped at both ends
        ([0.399], 3.4, [[0, 3.4]]),  # both times are rounded: the end is at 3.3995 seconds
        # Windows of silence are left out: between, at the beginning and at the end.
        ([0, 10], 12.0, [[0, 1.5], [10.5, 12]]),
        ([4, 5], 20.0, [[4.5, 5.5], [5.5, 6.5]]),
    ],
)
def test_a_moment_has_the_window_of_the_nearest_middle(starts, seconds, expected):
    result = {"window_starts": starts, "hop": 1.0, "seconds": seconds}
    np.testing.assert_allclose(spans(result, DESCRIBED), expected)


def test_the_window_of_a_time_is_found():
    of = np.array([[0, 1.5], [1.5, 2.5], [4, 5]])
    assert window_at(of, np.array([0, 2, 3, 4.5, 5, 6])).tolist() == [0, 1, -1, 2, 2, -1]


def test_levels_compare_scores_with_thresholds():
    scores = [[0.3, 0.2, 0.5], [0.6, 0.6, 1.0], [0.8, 0.0, 0.0]]
    found = levels({"window_scores": scores}, DESCRIBED)
    expected = [[0.25, 0.5, 0.25], [0.5, 0.75, 1.0], [0.75, 0, 0]]
    np.testing.assert_allclose(found, expected)


def test_the_tags_with_the_highest_peaks_are_shown_by_their_means():
    found = np.array([[0.9, 0.5, 0.6, 0.1], [0.1, 0.5, 0.7, 0.2]])
    assert strongest(found, 2).tolist() == [2, 0]
    assert strongest(found, 9).tolist() == [2, 0, 1, 3]


def test_figure_table_and_jams_are_written(tmp_path, bundle, capsys):
    song = write_song(tmp_path / "a & <b>.flac", tone(6, 440), tone(6, 4000))
    files = {kind: tmp_path / f"out.{kind}" for kind in ("csv", "jams", "svg")}
    taggram(song, model=bundle, hop=1, csv=files["csv"], jams=files["jams"], figure=files["svg"])
    written = ", ".join(str(files[kind]) for kind in ("svg", "csv", "jams"))
    assert capsys.readouterr() == ("", f"written: {written}\n")
    with files["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    times = [[float(row[name]) for name in ("from", "to")] for row in rows]
    assert (times[0][0], times[-1][1]) == (0, 12)
    assert [start for start, _ in times[1:]] == [end for _, end in times[:-1]]
    assert [row["window_from"] for row in rows[:3]] == ["0.0", "1.0", "2.0"]
    higher = ["low" if float(row["low"]) > float(row["high"]) else "high" for row in rows]
    assert higher[:5] == ["low"] * 5  # the windows that begin at 0 to 4 s
    assert higher[6:] == ["high"] * 4
    of_windows = json.loads(files["jams"].read_text(encoding="utf-8"))["annotations"][1]["data"]
    first = {"time": 0.0, "duration": 2.0, "value": "low", "confidence": float(rows[0]["low"])}
    assert of_windows[0] == first
    assert len(of_windows) == 2 * len(rows)
    assert "<!-- a &amp; &lt;b&gt;.flac -->" in files["svg"].read_text(encoding="utf-8")


RESULT = {"window_starts": [0, 1], "hop": 1.0, "seconds": 3.0, "tags": ["a"]}
RESULT |= {"window_scores": [[0.7, 0.1, 0.1], [0.1, 0.3, 0.1]]}


def test_a_cell_of_the_figure_has_the_colour_of_its_level(tmp_path):
    figure = taggram_figure("song.mp3", RESULT, DESCRIBED, top=2)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert [label.get_fontweight() for label in axes.get_yticklabels()] == ["normal", "bold"]
    assert figure.axes[1].get_ylabel() == "level of the score"
    assert "bold: tags of the whole song" in [text.get_text() for text in axes.texts]
    none = taggram_figure("song.mp3", {**RESULT, "tags": []}, DESCRIBED, top=2)
    assert not any("bold" in text.get_text() for text in none.axes[0].texts)
    (cells,) = axes.collections
    np.testing.assert_allclose(cells.get_array(), [0.25, 0.5625, 0.625, 0.08333], atol=1e-5)
    grey, blue = cells.to_rgba([0.49, 0.5])
    assert np.ptp(grey[:3]) < 0.05 < 0.2 < np.ptp(blue[:3])
    for kind in ("pdf", "png", "svg"):
        assert save(figure, tmp_path / f"out.{kind}") == ""
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")


def test_text_has_a_block_for_each_moment():
    result = {**RESULT, "window_starts": [0, 4], "seconds": 6.0}
    lines = text("a\x1bb.mp3", result, DESCRIBED, top=2, width=20).splitlines()
    # 12 columns of half a second; the windows stand for 0 to 1.5 s and 4.5 to 6 s.
    assert lines == [
        "a\ufffdb.mp3  0:00:06  a",
        "       0:00",
        "    b  ▃▃▃      ▅▅▅",
        "  * a  ▆▆▆      ▁▁▁",
    ]


def test_an_output_is_never_a_folder_or_a_device(tmp_path, bundle):
    fifo = tmp_path / "fifo.svg"
    os.mkfifo(fifo)
    for flag in ("figure", "csv", "jams"):
        with pytest.raises(UserError, match=f"--{flag} {fifo}: not a regular file; name another"):
            taggram(tmp_path / "song.wav", model=bundle, **{flag: fifo})
    for flag in ("csv", "jams"):
        with pytest.raises(UserError, match=f"--{flag} .: Is a directory; name another file"):
            taggram(tmp_path / "song.wav", model=bundle, **{flag: Path(".")})
    assert fifo.is_fifo()


def test_the_terminal_shows_it_without_an_output(tmp_path, bundle, capsys):
    song = write_song(tmp_path / "song.wav", tone(6, 440), tone(6, 4000))
    taggram(song, model=bundle, top=1)
    shown = capsys.readouterr().out
    assert shown.startswith(f"{song}  0:00:12  ")
    assert len(shown.splitlines()) == 3


def test_a_model_without_thresholds_says_so(tmp_path, capsys):
    bundle = write_bundle(tmp_path / "bundle", thresholds={})
    taggram(write_song(tmp_path / "song.wav", tone(6, 440)), model=bundle)
    assert capsys.readouterr().err.startswith(f"warning: {bundle}: no thresholds of its tags")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"figure": "out.gif"}, r"--figure .*gif: expected the suffix \.pdf, \.png, \.svg"),
        ({"top": 0}, "--top 0: expected 1 or more"),
        ({"timeout": 0.0}, "--timeout 0: expected more than 0 seconds"),
        ({"timeout": 1e308}, r"--timeout 1e\+308: expected .* at most 86,400, a day"),
    ],
)
def test_flags_are_checked_first(tmp_path, flags, message):
    if "figure" in flags:
        flags = {"figure": tmp_path / flags["figure"]}
    with pytest.raises(UserError, match=message):
        taggram(tmp_path / "missing.wav", **flags)


@pytest.mark.parametrize("hop", [0.0, 1e-9, 2.5])
def test_a_hop_is_at_most_a_window(tmp_path, bundle, hop):
    with pytest.raises(UserError, match=f"--hop {hop:g}: expected 0.01 to 2 seconds, the le"):
        taggram(tmp_path / "song.wav", model=bundle, hop=hop)


def test_the_song_and_the_model_are_not_replaced(tmp_path, bundle):
    song = write_song(tmp_path / "song.flac", tone(3, 440))
    text = tmp_path / "text"
    for flags, message in (
        ({"jams": song}, r"--jams .*song\.flac: the name of an audio file"),
        ({"csv": song}, r"--csv .*song\.flac: the name of an audio file"),
        ({"csv": text, "jams": text}, "--csv and --jams have the same file"),
        ({"jams": bundle / "model.onnx"}, r"--jams .*model\.onnx: a file that is read"),
        ({"csv": bundle / "mel.npz"}, r"--csv .*mel\.npz: a file that is read; name another one"),
    ):
        with pytest.raises(UserError, match=message):
            taggram(song, model=bundle, **flags)


def test_a_figure_without_matplotlib_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("autotagging.tools.taggram.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"needs matplotlib, .*: pip install matplotlib"):
        taggram(tmp_path / "song.wav", figure=tmp_path / "out.png")


def test_a_file_that_is_no_song_is_refused(tmp_path, bundle):
    text = tmp_path / "notes.txt"
    text.write_text("text")
    with pytest.raises(UserError, match=r"notes\.txt: not_audio: no audio format is recognised"):
        taggram(text, model=bundle)
