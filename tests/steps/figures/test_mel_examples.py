import sys

import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.mel_examples import mel_examples
from commands import autotagging
from earlier_steps import assert_draws, drawn, files_in, mel_inputs


def test_mel_examples_is_drawn(results):
    assert_draws(mel_examples, results, **mel_inputs(results), clips_per_tag=4)


def test_mel_examples_draws_what_extract_mel_left_of_each_tag(results, monkeypatch):
    (results / "audio.json").write_text('{"title": "magnatagatune"}')
    drawings = []
    module = sys.modules[mel_examples.__module__]
    monkeypatch.setattr(module, "draw", lambda *args, **more: drawings.append((*args, more)))
    monkeypatch.setattr(module, "save_figure", lambda *args, dpi: None)
    mel_examples(**mel_inputs(results), clips_per_tag=2, figure_files=drawn(results))
    ((counts, examples, mels, more),) = drawings
    assert counts.to_dict() == {"drum": 4, "flute": 1, "harp": 1}
    assert examples.to_numpy().tolist() == [["drum", 4], ["drum", 5], ["flute", 5]]
    assert mels[:, 0, 0].tolist() == [-10, -20, -20]
    assert more == {"seconds": 2.0, "log_scale": "power_db", "caption": "MagnaTagATune, all clips"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labels.csv", "clip,drum\n4,1\n", r"labels\.csv: no column 'clip_id'"),
        ("labels.csv", "clip_id,mp3_path,drum\n6,c,1\n", "no clip with a tag in"),
        ("summary.csv", "", r"summary\.csv: no whole table"),
        ("summary.csv", "clips\n3\n", r"summary\.csv: no column 'shard'"),
        ("shard-00.npy", "nonsense", r"shard-00\.npy: not a readable shard"),
        ("front_end.json", "{}", r"front_end\.json: no entry 'sample_rate'"),
    ],
)
def test_a_wrong_file_of_mel_examples_is_named(results, name, content, message):
    (results / name).write_text(content)
    with pytest.raises(UserError, match=message):
        mel_examples(**mel_inputs(results), clips_per_tag=4, figure_files=drawn(results))
    assert not (results / "figures").exists()


def test_the_command_line_takes_spectrograms_and_never_loads_tensorflow(results):
    flags = ["--clips-per-tag", 2]
    output = {**vars(drawn(results)), "figure_versions": results / "figures/versions.json"}
    for name, path in {**mel_inputs(results), **output}.items():
        flags += [f"--{name.replace('_', '-')}", path]
    autotagging("figures", "mel_examples", *flags, without="tensorflow")
    assert files_in(results / "figures") == ["out.png", "out.svg", "versions.json"]
