"""Records of Snakemake and notes in logs, as `autotagging provenance` and `crate` read them."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import _job_note
from autotagging.tools._job_note import read_note, write_note
from autotagging.tools._jobs import RECORDS, flags_of, read_jobs
from autotagging.tools._ro_actions import describe_actions
from autotagging.tools.provenance import describe

COMMAND = (
    "autotagging train --model crnn --seed 3 --mel results/extract_mel/summary.csv --xla=False"
    " --weights results/train/crnn/seed-3/weights.npz --options 'name=\"a b\"' rate=0.5"
    " --times logs/train/times.csv 2>&1 | tee logs/train.log"
)
NOTE = "# {} | {} | a host | Linux 6.1 x86_64 | Some CPU @ 2 GHz | 2 cores | 23.5 GiB\n"
EMPTY = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # SHA-256 of {}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """Folder of a project in which one job ran from 12:00:00 to 12:00:10 UTC."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/train.log").write_text(NOTE.format("2026-03-01T12:00:01+00:00", COMMIT))
    start = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    record = {
        "rule": "train",
        "shellcmd": COMMAND,
        "input": ["src/a.py", "results/extract_mel/summary.csv"],
        "input_checksums": {"results/extract_mel/summary.csv": "sha256:ab"},
        "params": [
            "'src/autotagging/common 0123456789abcdef'",
            "'--xla=False'",
            "'--name 0123456789abcdef'",
            '"a singer\'s model/model.json 44136fa355b3678a"',
        ],
        "log": ["logs/train.log"],
        "starttime": start,
        "endtime": start + 10,
        "incomplete": False,
    }
    for name in ("weights.npz", "model.json", "gone.csv"):
        path = f"results/train/crnn/seed-3/{name}"
        encoded = base64.urlsafe_b64encode(path.encode()).decode()
        place = RECORDS / f"@{encoded[:20]}" / encoded[20:]  # as Snakemake cuts long names
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(record))
        if name != "gone.csv":
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
    return tmp_path


def test_the_flags_of_a_command_end_where_its_log_begins():
    flags = flags_of(COMMAND)
    assert flags["seed"] == ["3"]
    assert flags["xla"] == ["False"]
    assert flags["options"] == ['name="a b"', "rate=0.5"]
    assert flags["times"] == ["logs/train/times.csv"]


def test_flags_of_a_launcher_are_not_those_of_the_step():
    command = "srun --nodes=2 --kill-on-bad-exit=1 autotagging train --seed 0 > logs/train.log 2>&1"
    assert flags_of(command) == {"seed": ["0"]}


def test_a_job_is_one_for_all_its_outputs(finished):
    (job,) = read_jobs()
    assert job.name == "train crnn 3"
    assert job.subcommand == ["train"]
    folder = "results/train/crnn/seed-3"
    assert job.outputs == [f"{folder}/model.json", f"{folder}/weights.npz"]
    assert job.inputs == ["results/extract_mel/summary.csv"]
    assert job.input_checksums == {"results/extract_mel/summary.csv": "ab"}
    assert job.code == {"src/autotagging/common": "0123456789abcdef"}
    assert job.other_files == {"a singer's model/model.json": EMPTY[:16]}
    assert set(job.parameters) == {"model", "seed", "xla", "options"}
    assert (job.ended - job.started).total_seconds() == 10
    assert job.note.commit == COMMIT
    assert job.note.machine["host"] == "a host"
    assert job.note.machine["cores"] == 2


def test_jobs_of_a_new_step_are_told_apart_by_model_and_seed(finished):
    """The command of such a step need not have flags for them."""
    (train,) = read_jobs()
    names = []
    for model, seed in (("crnn", 3), ("crnn", 12), ("lookup", 3)):
        outputs = [f"results/mistakes/{model}/seed-{seed}/mistakes.csv"]
        command = f"autotagging mistakes --out {outputs[0]} > logs/mistakes.log"
        names.append(replace(train, rule="mistakes", command=command, outputs=outputs).name)
    assert names == ["mistakes crnn 3", "mistakes crnn 12", "mistakes lookup 3"]
    outputs = ["results/extract_mel/shard-04.npy"]
    command = f"autotagging extract_mel_shard --shard 04 --mel {outputs[0]}"
    shard = replace(train, rule="extract_mel_shard", command=command, outputs=outputs)
    assert shard.name == "extract_mel_shard 04"
    command, outputs = "autotagging split --seed 3 --out a", ["results/split/split.csv"]
    assert replace(train, rule="split", command=command, outputs=outputs).name == "split"


def test_a_model_that_a_training_started_from_is_an_input(finished):
    path = Path("a singer's model/model.json")
    path.parent.mkdir()
    path.write_text("{}")
    for name in ("Snakefile", "params.yaml"):
        Path(name).touch()
    result = Path("results/train/crnn/seed-3/model.json")
    result.write_text("{}")
    assert describe(result)["inputs"][str(path)] == {"sha256": EMPTY, "unchanged": True}
    path.write_text("{ }")
    assert describe(result)["inputs"][str(path)] == {"sha256": EMPTY[:16], "unchanged": False}
    *_, job, _, found = describe_actions(read_jobs(), files=[], folders=[])
    assert job["object"] == [{"@id": "#audio"}, {"@id": found["@id"]}]
    assert found["name"] == f"first 16 digits of the SHA-256 of {path}"
    assert found["value"] == EMPTY[:16]


def test_a_log_of_another_run_tells_nothing(finished):
    (finished / "logs/benchmark.tsv").write_text("s\tmax_rss\tcpu_time\n9.5\t100.0\t-\n")
    (job,) = read_jobs()
    assert job.usage == {"seconds": 9.5, "peak_memory_mb": 100.0}
    log = finished / "logs/train.log"
    log.write_text(NOTE.format("2026-03-01T13:00:00+00:00", COMMIT))
    (job,) = read_jobs()
    assert job.note is None
    assert job.usage == {}


def test_a_damaged_record_is_named(finished):
    record = next(path for path in RECORDS.rglob("*") if path.is_file())
    record.write_text("{")
    with pytest.raises(UserError, match=rf"{record}: damaged"):
        read_jobs()


@pytest.mark.parametrize(
    ("entry", "value", "why"),
    [
        ("starttime", "noon", "starttime is no time"),
        ("endtime", 1e300, "endtime is no time"),
        ("endtime", None, "endtime is no time"),
        ("rule", None, "rule is no text"),
        ("log", "logs/train.log", "log is no list of texts"),
        ("params", [1], "params is no list of texts"),
        ("input_checksums", {"a": 1}, "input_checksums has something other than texts"),
        ("shellcmd", "autotagging 'train", "shellcmd: No closing quotation"),
    ],
)
def test_a_record_with_a_damaged_entry_is_named(finished, entry, value, why):
    for path in filter(Path.is_file, RECORDS.rglob("*")):
        path.write_text(json.dumps(json.loads(path.read_text()) | {entry: value}))
    with pytest.raises(UserError, match=rf"^{RECORDS}.*: damaged \({why}\); delete it and results"):
        read_jobs()


@pytest.mark.parametrize(
    ("benchmark", "usage"),
    [
        (b"s\tmax_rss\n9.5\t1.2.3\n", {"seconds": 9.5}),
        (b"s\tmax_rss\n9.5\t\xff\n", {"seconds": 9.5}),
        (b"\xff\n", {}),
        (b's\tmax_rss\n"' + b"9" * 140_000, {}),
        (b"s\tmax_rss\n" + b"9" * 400 + b"\t2\n", {"peak_memory_mb": 2.0}),
    ],
)
def test_of_a_damaged_benchmark_what_is_a_number_is_read(finished, benchmark, usage):
    (finished / "logs/benchmark.tsv").write_bytes(benchmark)
    (job,) = read_jobs()
    assert job.usage == usage


def test_the_note_is_read_as_it_was_written(tmp_path, capsys, monkeypatch):
    write_note()
    log = tmp_path / "log"
    log.write_text(f"a warning\n{capsys.readouterr().err}and more\n")
    note = read_note(log)
    assert abs(datetime.now(UTC) - note.started).total_seconds() < 60
    assert note.commit is None or len(note.commit) == 40
    assert note.machine["cores"] >= 1
    assert note.machine["memory_gib"] > 0
    monkeypatch.setattr(_job_note, "_GIT", ["no-such-program"])
    write_note()
    log.write_text(capsys.readouterr().err)
    assert read_note(log).commit is None


@pytest.mark.parametrize(
    "line",
    [
        NOTE.format("2026-13-01T12:00:01+00:00", COMMIT),
        NOTE.format("2026-03-01T12:00:01", COMMIT),  # without a zone
        NOTE.format("2026-03-01T12:00:01+00:00", COMMIT).replace("23.5", "2.3.5"),
    ],
)
def test_a_damaged_note_tells_nothing(finished, line):
    (finished / "logs/train.log").write_text(line)
    (job,) = read_jobs()
    assert job.note is None


def test_a_log_without_a_note_has_none(tmp_path):
    (tmp_path / "log").write_text("# a comment | of another kind\n")
    assert read_note(tmp_path / "log") is None
    assert read_note(tmp_path / "missing") is None


def test_changes_since_the_commit_are_noted(tmp_path):
    (tmp_path / "log").write_text(NOTE.format("2026-03-01T12:00:01+00:00", f"{COMMIT}+"))
    assert read_note(tmp_path / "log").changed
