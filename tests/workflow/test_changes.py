"""What Snakemake and DVC notice: every change, however it was made, and no other."""

import base64
import json
import os
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.common.params import faults, options_of, read_params, read_schema
from autotagging.mel.sizes import frame_count
from autotagging.models import MODELS, check_input
from conftest import ROOT
from projects import Project

pytestmark = pytest.mark.xdist_group("tiny_run")


@pytest.fixture(scope="module")
def project(finished_copy):
    """A project in which all is as if it had been run there; a test leaves it as it was."""
    copy = finished_copy()
    copy.commit()
    assert copy.jobs("snakemake -n") == set()
    return copy


@pytest.fixture(autouse=True)
def undo(request):
    yield
    if "project" in request.fixturenames:
        project = request.getfixturevalue("project")
        project.run("git checkout --quiet -- .")
        project.run("git clean --quiet --force -- workflow")


def set_param(project, section, **values):
    """Set parameters of a section, of a model, or of none (None)."""
    path = project.folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    sections = {None: params, **params, **(params["train"] if section in MODELS else {})}
    sections[section].update(values)
    path.write_text(yaml.safe_dump(params))


# Reads the workflow once per set of parameters, and prints the params of each rule as Snakemake
# compares them: as a set of values. Jobs are of the model whose section is given, or else the CRNN.
RECORDED = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

class Job:
    model, seed, shard = "crnn", "0", "00"

def values(rule):
    items = [value for name, value in rule.params._allitems() if name != "files"]
    return sorted(str(value(Job) if callable(value) else value) for value in items)

for config in json.load(sys.stdin):
    sections = [name for name, value in config.get("train", {}).items() if isinstance(value, dict)]
    Job.model = (sections or ["crnn"])[0]
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        flow = api.workflow(
            snakefile=Path("Snakefile"),
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(config=config),
        )
        print(json.dumps({rule.name: values(rule) for rule in flow._workflow.rules}))
"""


def recorded_params(configs):
    result = subprocess.run(
        [sys.executable, "-c", RECORDED],
        input=json.dumps(configs),
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return [json.loads(line) for line in result.stdout.splitlines()]


def exchanged(values, names=()):
    """Yield overrides that exchange two values of one type in a section, at any depth."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from exchanged(value, (*names, name))
    for one, two in combinations(values, 2):
        if type(values[one]) is type(values[two]) and values[one] != values[two] and names:
            swapped = {one: values[two], two: values[one]}
            for name in reversed(names):
                swapped = {name: swapped}
            yield f"{'.'.join(names)}: {one} and {two}", swapped


def refused(params):
    """Tell whether the workflow stops because the CRNN does not take these spectrograms."""
    mel = params["extract_mel"]
    frames = frame_count(**{name: mel[name] for name in ("seconds", "sample_rate", "hop_length")})
    try:
        options = options_of(params["train"]["crnn"])
        check_input("crnn", options, mel_bins=mel["n_mels"], frames=frames)
    except UserError:
        return True
    return False


def test_every_two_exchanged_values_are_a_change():
    """Snakemake compares the params of a job as values without names."""
    params = read_params(ROOT / "params.yaml")
    schema = read_schema(ROOT / "workflow/schemas")
    for name in {*MODELS} - {"crnn", "lookup", "bof_rbm"}:  # their options are made flags alike
        del params["train"][name]
    pairs = {}
    for name, override in exchanged(params):
        changed = read_params(ROOT / "params.yaml", override)
        if not faults(changed, schema) and not refused(changed):
            pairs[name] = override
    assert {
        "extract_mel: n_fft and hop_length",
        "extract_mel: tolerance and longest",
        "split: validation and test",
        "train.crnn: pool_dropout and output_dropout",
    } <= set(pairs)
    found = recorded_params([*({"train": {model: {}}} for model in MODELS), *pairs.values()])
    before, after = dict(zip(MODELS, found, strict=False)), found[len(MODELS) :]
    unnoticed = [
        name
        for name, rules in zip(pairs, after, strict=True)
        if rules == before.get(name.removeprefix("train.").partition(":")[0].partition(".")[0])
        or rules == before["crnn"]
    ]
    # On the demo corpus, train.epochs has no influence; checkpoint_minutes never has.
    assert unnoticed == ["train: epochs and checkpoint_minutes"]


def test_exchanged_values_run_the_steps_again_and_are_not_recorded(project):
    set_param(project, "split", validation=4566, test=1521)
    assert "split" in project.jobs("snakemake -n")
    message = project.run("autotagging record", code=2)
    assert "not up to date with params.yaml" in message


def test_a_parameter_of_a_figure_draws_it_again_and_no_other(project):
    set_param(project, "figures", clip_id=3)
    assert project.jobs("snakemake -n") == {"figure_3", "figure_6"}
    set_param(project, "figures", clip_id=None, clips_per_tag=2)
    assert project.jobs("snakemake -n") == {"mel_examples"}


def test_another_order_of_models_draws_figures_again_and_nothing_else(project):
    """Tables have a row for each model, in the order of params.yaml."""
    project.replace("params.yaml", "models: [crnn, lookup]", "models: [lookup, crnn]")
    ran = project.jobs("snakemake -n")
    assert {"figure_7", "table_4", "all_metrics", "differences", "summary"} <= ran
    assert not ran & {"download", "split", "extract_mel", "train", "evaluate"}


def test_a_changed_source_with_an_older_time_is_a_change(project):
    """As after rsync -a, cp -p or tar, and after a clock was put back."""
    for path in ("workflow/resources/tags.yaml", "src/autotagging/labels/tags.py"):
        source = project.folder / path
        old = source.stat().st_mtime_ns - 10**16
        source.write_text(source.read_text() + "\n# a comment\n")
        os.utime(source, ns=(old, old))
        assert "merge_tags" in project.jobs("snakemake -n"), path
        project.run("git checkout --quiet -- .")
        assert project.jobs("snakemake -n") == set()


def test_results_of_a_version_whose_rule_had_one_output_less_are_made_again(finished_copy):
    """Here of split: nothing else reads the output that they lack."""
    project = finished_copy()
    output = "results/split/versions.json"
    record = base64.urlsafe_b64encode(output.encode()).decode()
    project.run(f"rm {output} .snakemake/metadata/{record}")
    project.replace("params.yaml", "  seed: 0\n  train: 19773", "  seed: 1\n  train: 19773")
    assert {"split", "train", "evaluate"} <= project.jobs("snakemake -n")


def test_shards_that_were_deleted_to_save_space_are_not_made_again(project):
    shard = project.folder / "results/extract_mel/shard-00.npy"
    moved = shard.rename(project.folder / "shard-00.npy")
    assert project.jobs("snakemake -n") == set()
    moved.rename(shard)


def test_a_new_time_is_no_change(project):
    for path in ("workflow/resources/tags.yaml", "src/autotagging/common/files.py"):
        os.utime(project.folder / path)
    assert project.jobs("snakemake -n") == set()


def test_a_copy_with_new_times_is_no_change(tiny_run, tmp_path):
    """As by cp -r, scp -r or a new checkout; weights are larger than Snakemake's default limit."""
    copy = shutil.copytree(tiny_run.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    assert (copy / "results/train/crnn/seed-0/weights.npz").stat().st_size > 1_000_000
    corpora = Path(tiny_run.environment["AUTOTAGGING_CORPORA"])
    assert Project(copy, corpora).jobs("snakemake -n") == set()


def test_a_stage_of_dvc_runs_no_step_before_it(finished_copy):
    """DVC has copied the inputs in any order, and Snakemake has no record of them."""
    copy = finished_copy()
    shutil.rmtree(copy.folder / ".snakemake/metadata")
    for name in ("merge_tags/labels.csv", "download/clips.csv"):
        os.utime(copy.folder / "results" / name)
    (copy.folder / "results/evaluate/lookup/seed-0/metrics.json").unlink()
    assert "extract_mel_shard" in copy.jobs("snakemake -n")
    stages = yaml.safe_load((copy.folder / "dvc.yaml").read_text())["stages"]
    command = stages["evaluate"]["cmd"]
    command = command.replace("${item.model}", "lookup").replace("${item.seed}", "0")
    assert copy.jobs(command.replace("snakemake ", "snakemake -n ")) == {"evaluate"}


@pytest.mark.parametrize(
    "path",
    [
        "workflow/resources/tags.yaml",
        "workflow/resources/published.yaml",
        "workflow/resources/magnatagatune.yaml",
        "src/autotagging/steps/split.py",
    ],
)
def test_a_vanished_source_stops_everything(project, path):
    (project.folder / path).unlink()
    printed = project.run("snakemake --cores 1", code=1)
    assert f"{path}: no such file" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("split", {"scheme": "file"}, "split.file: None is not a file"),
        ("split", {"scheme": "file", "file": "typo.csv"}, "split.file: typo.csv is not a file"),
        ("split", {"scheme": "file", "file": "README.md"}, "put README.md into workflow/splits"),
        ("crnn", {"start_from": "typo"}, "train.crnn.start_from: typo is neither a model"),
        ("crnn", {"start_from": "results/train/crnn/seed-0"}, "copy results/train/crnn/seed-0 out"),
        (None, {"corpus": "no/such<b>"}, "corpus: no/such<b> is not a folder"),
        ("extract_mel", {"n_mels": 64}, "does not suit train.crnn: the CRNN takes 96 to 191 mel"),
        ("extract_mel", {"hop_length": 128}, "up to padded_frames = 1440 frames, not 96 x 2731"),
    ],
)
def test_a_mistyped_source_stops_everything(project, section, values, message):
    set_param(project, section, **values)
    printed = project.run("snakemake --cores 1", code=1)
    assert message in printed
    assert "Traceback" not in printed


def test_a_log_scale_that_a_model_does_not_take_stops_before_results_are_replaced(project):
    set_param(project, None, models=["lookup", "statistics"])
    set_param(project, "extract_mel", log_scale="log1p")
    printed = project.run("snakemake --cores 1", code=1)
    assert "params.yaml: extract_mel does not suit train.statistics: " in printed
    assert "log_scale is log1p; set it to power_db" in printed
    assert "Traceback" not in printed
    set_param(project, None, models=["lookup"])
    project.run("snakemake -n")


def test_a_corpus_with_any_characters_in_its_path_is_planned(project, tmp_path):
    """Braces are wildcards and <b> is a variable in Snakemake's own paths."""
    folder = tmp_path / "my {corpus} <b> $HOME ü's"
    folder.mkdir()
    for name in ("annotations_final.csv", "clip_info_final.csv"):
        shutil.copy(project.folder / "results/download" / name, folder)
    set_param(project, None, corpus=str(folder))
    printed = project.run("snakemake -n")
    assert "autotagging download" in printed
    assert "{corpus} <b> $HOME" in printed
    folder.rename(project.folder / "--demo")
    set_param(project, None, corpus="--demo")
    assert "--corpus ./--demo " in project.run("snakemake -n")
    shutil.rmtree(project.folder / "--demo")


def test_both_engines_notice_an_edited_split(project):
    table = project.folder / "workflow/splits/mine.csv"
    shutil.copy(project.folder / "results/split/split.csv", table)
    set_param(project, "split", scheme="file", file="workflow/splits/mine.csv")
    split = "results/split/split.csv"
    project.run(f"snakemake --cores 1 -- {split}")
    assert project.jobs(f"snakemake -n -- {split}") == set()
    assert "file" in (project.folder / "results/split/settings.json").read_text()
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    assert project.jobs(f"snakemake -n -- {split}") == {"split"}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert "workflow/splits" in stages["split"]["deps"]


def test_a_start_of_other_spectrograms_stops_before_they_are_made(project, tmp_path):
    shutil.copy(project.folder / "results/train/crnn/seed-0/model.json", tmp_path)
    set_param(project, "crnn", start_from=str(tmp_path))
    project.run("snakemake -n")
    set_param(project, "extract_mel", log_scale="squared_power_db")
    printed = project.run("snakemake --cores 1", code=1)
    assert (
        f"params.yaml: extract_mel.log_scale is squared_power_db, but {tmp_path}/model.json was "
        "trained on power_db. Set it to power_db, or train.crnn.start_from to null"
    ) in printed
    assert "Traceback" not in printed
    (tmp_path / "model.json").write_text("{")
    assert "model.json: not valid JSON" in project.run("snakemake -n", code=1)


def test_another_start_trains_again_and_so_do_other_weights_in_its_place(project, tmp_path):
    start = tmp_path / "my {model} <b>"
    start.mkdir()
    for name in ("model.json", "weights.npz"):
        shutil.copy(project.folder / "results/train/crnn/seed-0" / name, start)
    set_param(project, "crnn", start_from=str(start))
    model = "results/train/crnn/seed-0/model.json"
    printed = project.run(f"snakemake -n -p -- {model}")
    assert f"--start-from '{start}/model.json' " in printed
    project.run(f"snakemake --touch --cores 1 -- {model}")
    assert project.jobs(f"snakemake -n -- {model}") == set()
    content = (start / "model.json").read_text()
    (start / "model.json").write_text(content.replace('"seed": 0', '"seed": 1'))
    assert project.jobs(f"snakemake -n -- {model}") == {"train"}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert "train.${item.model}" in stages["train"]["params"]


def test_the_code_of_this_checkout_runs_whatever_is_installed(tiny_run, finished_copy):
    """Without an activated environment, and with another copy of the package installed."""
    copy = finished_copy()
    step = copy.folder / "src/autotagging/steps/split.py"
    step.write_text(
        step.read_text().replace(
            "    scheme, weights =", '    print("own code")\n    scheme, weights ='
        )
    )
    other = {**os.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(tiny_run.folder / "src")}
    other["AUTOTAGGING_CORPORA"] = str(copy.folder / "none")
    split = "results/split/split.csv"
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--", split]
    subprocess.run(command, cwd=copy.folder, env=other, check=True, capture_output=True)
    assert "own code" in (copy.folder / "logs/split/split.log").read_text()


@pytest.mark.parametrize("log", ["{log}", "/dev/full"])
def test_what_only_shows_or_logs_fails_no_step(finished_copy, log):
    """The reader of the output ends, as a closed terminal does; the disk of the log is full."""
    copy = finished_copy()
    # Not a full disk in the place of the log: Snakemake deletes a log before its job.
    copy.replace("workflow/rules/evaluate.smk", "| tee {log}", f"| tee {log}")
    metrics = copy.folder / "results/evaluate/lookup/seed-0/metrics.json"
    before = metrics.read_bytes()
    metrics.unlink()
    running = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--", metrics.relative_to(copy.folder)],
        cwd=copy.folder,
        env=copy.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while b"start  Evaluate lookup" not in running.stdout.readline():
        assert running.poll() is None
    running.stdout.close()
    assert running.wait() == 0
    assert metrics.read_bytes() == before
