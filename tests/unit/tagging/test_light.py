"""The tagger in an installation of the extra `tag` alone: what it needs, and how large that is."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution

import pytest
from packaging.requirements import Requirement

from bundles import tone, write_bundle, write_song
from conftest import ROOT
from source import SOURCE

COMMAND = [sys.executable, "-S", "-c", "from autotagging.cli import main; main()"]


def distributions() -> dict[str, Distribution]:
    """The dependencies of the package with its extra `tag`, and theirs, as they are installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    todo = [*project["dependencies"], *project["optional-dependencies"]["tag"]]
    found = {}
    while todo:
        requirement = Requirement(todo.pop())
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in found:
            found[requirement.name] = distribution(requirement.name)
            todo += found[requirement.name].requires or []
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of links to these distributions: what a fresh environment would have."""
    folder = tmp_path_factory.mktemp("site")
    for each in distributions().values():
        tops = {file.parts[0] for file in each.files if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            (folder / top).symlink_to(each.locate_file(top))
    return folder


def run(site, *arguments, code=0):
    """Run a command with these distributions alone, and without a home folder."""
    environment = {"PYTHONPATH": f"{site}{os.pathsep}{SOURCE}", "HOME": "/nowhere"}
    result = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode == code, result.stderr
    return result


def test_an_installation_is_smaller_than_200_mb():
    found = distributions()
    assert {"numpy", "onnxruntime", "soundfile", "soxr", "mutagen"} < found.keys()
    assert not {"tensorflow", "keras", "librosa", "scipy", "pandas", "snakemake"} & found.keys()
    files = {file.locate().resolve() for each in found.values() for file in each.files}
    assert 50e6 < sum(path.stat().st_size for path in files if path.is_file()) < 200e6


def test_songs_are_tagged_without_other_libraries(site, tmp_path):
    bundle = write_bundle(tmp_path / "bundle")
    music = tmp_path / "music"
    write_song(music / "low.mp3", tone(5, 440, rate=44_100), rate=44_100)
    write_song(music / "high.flac", tone(3, 5000))
    (music / "text.ogg").write_text("text")
    results = tmp_path / "songs.jsonl"
    flags = (music, "--model", bundle, "--json", results)
    first = run(site, "tag", *flags, "--csv", "-", "--jams", tmp_path / "jams", code=1)
    assert first.stderr.splitlines()[-2:] == [
        f"{music}/text.ogg: not_audio: no audio format is recognised",
        "2 tagged, 1 failed (1 not_audio)",
    ]
    high, low, text = first.stdout.splitlines()[1:]
    assert low.startswith(f"{music}/low.mp3,,5.0,2,low,0.74")
    assert high.startswith(f"{music}/high.flac,,3.0,1,,0.0")
    assert text.startswith(f"{music}/text.ogg,not_audio,,,,")
    assert len([*(tmp_path / "jams/music").iterdir()]) == 2
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert {line["path"]: line.get("tags") for line in lines} == {
        f"{music}/low.mp3": ["low"],
        f"{music}/high.flac": [],
        f"{music}/text.ogg": None,
    }


def test_other_commands_name_the_extra_that_they_need(site):
    assert "--timeout" in run(site, "tag", "--help").stdout
    advice = "which is not installed: pip install 'autotagging[pipeline]'\n"
    result = run(site, "split", code=2)
    assert result.stderr.startswith("autotagging: this command needs ")
    assert result.stderr.endswith(advice)


def test_an_unknown_command_is_one_line(site):
    for arguments in (("tga", "x"), ("undu", "--help"), ("figures", "figure_77")):
        (line,) = run(site, *arguments, code=2).stderr.splitlines()
        assert f'"{arguments[-1] if arguments[0] == "figures" else arguments[0]}"' in line


def test_the_pipeline_is_not_asked_for(site):
    checked = run(site, "doctor").stdout
    assert "the tagger's; the pipeline is not installed" in checked
    assert "FIX" not in checked
