"""What made the results: `autotagging provenance` and `autotagging crate`, on the tiny run."""

import csv
import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import crate as packing
from autotagging.tools._jobs import read_jobs
from autotagging.tools.provenance import describe

pytestmark = pytest.mark.xdist_group("tiny_run")

VALIDATOR = "needs the extra `validate`: pip install -e '.[validate]'"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
# Terms that RO-Crate 1.1 has elsewhere than later versions, of which the package rocrate has one.
OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def crate(tiny_run, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("crates") / "crate"
    tiny_run.run(f"autotagging crate --out {folder}")
    return folder


@pytest.fixture(scope="module")
def elsewhere(finished_copy) -> Path:
    """Folder with the same results, and without logs."""
    return finished_copy().folder


@pytest.fixture(scope="module")
def entities(crate) -> dict[str, dict]:
    document = json.loads((crate / "ro-crate-metadata.json").read_text())
    found = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(found) == len(document["@graph"])
    return found


def test_every_result_has_its_job(tiny_run, monkeypatch):
    monkeypatch.chdir(tiny_run.folder)
    files = {str(path) for path in Path("results").rglob("*") if path.is_file()}
    jobs = read_jobs()
    assert {path for job in jobs for path in job.outputs} == files
    assert all(job.note and job.code for job in jobs)


def test_provenance_tells_what_made_a_model(tiny_run):
    path = "results/train/crnn/seed-0/weights.npz"
    found = json.loads(tiny_run.run(f"autotagging provenance {path} --json"))
    assert found["sha256"] == sha256(tiny_run.folder / path)
    assert found["as_written"]
    assert found["job"] == "train crnn 0"
    assert found["parameters"]["epochs"] == "1"
    assert found["parameters"]["learning-rate"] == "0.001"
    assert "results/split/split.csv" not in found["parameters"].values()
    split = found["inputs"]["results/split/split.csv"]
    split_sha256 = sha256(tiny_run.folder / "results/split/split.csv")
    assert split == {"sha256": split_sha256, "unchanged": True}
    assert "src/autotagging/training" in found["code"]
    assert found["versions"]["tensorflow"]
    assert found["devices"].startswith("CPU, ")
    assert found["machine"]["cores"] >= 1
    assert 0 < found["seconds"] < 600
    text = tiny_run.run(f"autotagging provenance {path}")
    assert f"\nsha256      {found['sha256']}\n" in text
    assert "\nparameters  model               crnn\n" in text
    assert f"\nmachine     {found['machine']['host']}, " in text


def test_without_logs_commit_and_machine_are_unknown(elsewhere, monkeypatch):
    monkeypatch.chdir(elsewhere)
    found = describe(Path("results/figures/table_4.md"))
    assert found["job"] == "table_4"
    assert (found["machine"], found["started"], found["commit"]) == (None, None, None)
    Path("results/split/split.csv").write_text("edited")
    found = describe(Path("results/split/split.csv"))
    assert found["as_written"] is False
    assert found["in_dvc_lock"] is not True
    inputs = describe(Path("results/train/lookup/seed-0/model.json"))["inputs"]
    assert inputs["results/split/split.csv"]["unchanged"] is False


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("params.yaml", "params.yaml: not in results/; give a file that a step wrote"),
        ("results/train", "results/train: a folder; give a file that a step wrote"),
        ("results/nothing.csv", "results/nothing.csv: no such file; give a file that"),
    ],
)
def test_what_is_no_result_is_an_error(tiny_run, monkeypatch, file, message):
    monkeypatch.chdir(tiny_run.folder)
    with pytest.raises(UserError, match=f"^{message}"):
        describe(Path(file))


def test_a_file_that_no_job_made_is_an_error(elsewhere, monkeypatch):
    monkeypatch.chdir(elsewhere)
    Path("results/split/mine.csv").touch()
    with pytest.raises(
        UserError, match=r"mine\.csv: neither Snakemake's records nor dvc\.lock tell"
    ):
        describe(Path("results/split/mine.csv"))
    monkeypatch.chdir("results")
    with pytest.raises(UserError, match="results is not the folder of the project; cd to that"):
        describe(Path("split/split.csv"))


def test_a_crate_has_all_results_but_spectrograms(tiny_run, crate, entities):
    results = tiny_run.folder / "results"
    wanted = {
        path.relative_to(tiny_run.folder).as_posix()
        for path in results.rglob("*")
        if path.is_file() and path.suffix != ".npy"
    }
    files = {id_: entity for id_, entity in entities.items() if "File" in entity["@type"]}
    assert wanted == {id_ for id_ in files if id_.startswith("results/")}
    assert {"Snakefile", "params.yaml", "requirements.lock"} <= set(files)
    for id_, entity in files.items():
        assert entity["sha256"] == sha256(crate / id_), id_
    described = {part["@id"] for part in entities["./"]["hasPart"]}
    assert described == {*files, *(f"results/{step}/" for step in steps_of(wanted))}


def steps_of(paths: set[str]) -> set[str]:
    return {path.split("/")[1] for path in paths}


def test_a_crate_tells_every_job(tiny_run, entities):
    job = entities["#job-evaluate-crnn-0"]
    assert job["instrument"]["@id"] == "src/autotagging/steps/evaluate.py"
    inputs = {entity["@id"] for entity in job["object"]}
    assert "results/train/crnn/seed-0/weights.npz" in inputs
    results = {entity["@id"] for entity in job["result"]}
    assert "results/evaluate/crnn/seed-0/metrics.json" in results
    assert job["description"].startswith("autotagging evaluate --")
    assert job["startTime"] <= job["endTime"]
    remote = {"@id": "workflow/resources/magnatagatune.yaml"}
    assert entities["#job-download"]["object"] == remote
    jobs = [id_ for id_ in entities if id_.startswith("#job-")]
    assert len(jobs) == len({id_ for id_ in entities if id_.startswith("#control-")})
    assert entities["#run"]["instrument"] == {"@id": "Snakefile"}
    audio = json.loads((tiny_run.folder / "results/download/audio.json").read_text())
    assert entities["#audio"]["value"] == audio["sha256"]


def test_a_crate_names_neither_folder_nor_host(tiny_run, crate):
    text = (crate / "ro-crate-metadata.json").read_text() + (crate / "croissant.json").read_text()
    (note,) = re.findall("^# .*", (tiny_run.folder / "logs/split/split.log").read_text())
    host, system = note.split(" | ")[2:4]
    assert str(tiny_run.folder) not in text
    assert f"machine: {system}" in text
    assert f" {host} | " not in text
    assert f" {host}, " not in text


def test_a_crate_replaces_nothing(tiny_run, crate):
    printed = tiny_run.run(f"autotagging crate --out {crate}", code=2)
    assert f"{crate}: exists; give the name of a new folder" in printed


def test_a_crate_is_no_second_pipeline_of_the_project(tiny_run):
    printed = tiny_run.run("autotagging crate --out packed/crate", code=2)
    assert "packed/crate: is in the project" in printed
    assert "such as ../crate" in printed


def test_a_run_without_its_records_is_not_packed(elsewhere, monkeypatch, tmp_path):
    """Its results may come from DVC, which does not store the records of jobs."""
    monkeypatch.chdir(elsewhere)
    shutil.rmtree(".snakemake/metadata")
    path = "results/split/split.csv"
    monkeypatch.setattr(packing, "finished_outputs", lambda then: [path])
    with pytest.raises(UserError, match=f"the jobs that made 1 of 1 results, {path} the first"):
        packing.crate(out=tmp_path / "crate")


def offline(monkeypatch):
    """Let requests find RO-Crate's context, and nothing else."""
    rocrate = pytest.importorskip("rocrate", reason=VALIDATOR)
    requests, urllib3 = pytest.importorskip("requests"), pytest.importorskip("urllib3")
    text = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text()
    context = json.loads(text)
    context["@context"] |= OF_1_1

    def send(adapter, request, **options):
        if request.url != CONTEXT:
            raise requests.ConnectionError(request.url)
        raw = urllib3.HTTPResponse(
            io.BytesIO(json.dumps(context).encode()),
            headers={"content-type": "application/ld+json"},
            status=200,
            preload_content=False,
            request_url=request.url,
        )
        return adapter.build_response(request, raw)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)


def issues_of(crate, tmp_path) -> list[str]:
    services = pytest.importorskip("rocrate_validator.services", reason=VALIDATOR)
    settings = services.ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="provenance-run-crate",
        cache_path=str(tmp_path / "cache"),
    )
    return [issue.message for issue in services.validate(settings).get_issues()]


def test_a_crate_is_valid(crate, tmp_path, monkeypatch):
    """By roc-validator, as a Provenance Run Crate and all that this is."""
    offline(monkeypatch)
    assert issues_of(crate, tmp_path) == []


def test_rocrate_reads_a_crate(crate, monkeypatch):
    rocrate = pytest.importorskip("rocrate.rocrate", reason=VALIDATOR)
    offline(monkeypatch)
    read = rocrate.ROCrate(crate)
    assert read.mainEntity.id == "Snakefile"
    assert {"#run", "#job-split"} <= {action.id for action in read.root_dataset["mentions"]}


def test_the_validator_finds_a_fault(crate, tmp_path, monkeypatch):
    """The run without its workflow, in a copy without files."""
    offline(monkeypatch)
    document = json.loads((crate / "ro-crate-metadata.json").read_text())
    for entity in document["@graph"]:
        if entity["@id"] == "#run":
            del entity["instrument"]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/ro-crate-metadata.json").write_text(json.dumps(document))
    found = issues_of(tmp_path / "broken", tmp_path)
    assert any("MUST have an instrument property" in message for message in found)


def test_the_tables_of_a_crate_are_described_column_by_column(crate):
    described = json.loads((crate / "croissant.json").read_text())
    assert described["license"] == "https://spdx.org/licenses/MIT"
    files = {file["@id"]: file for file in described["distribution"]}
    for path, file in files.items():
        assert file["sha256"] == sha256(crate / path)
    (labels,) = (table for table in described["recordSet"] if table["name"] == "labels")
    with (crate / "results/merge_tags/labels.csv").open() as table:
        assert [field["name"] for field in labels["field"]] == next(csv.reader(table))


def test_mlcroissant_reads_the_tables(crate):
    croissant = pytest.importorskip("mlcroissant", reason=VALIDATOR)
    dataset = croissant.Dataset(str(crate / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    with (crate / "results/merge_tags/labels.csv").open() as table:
        rows = list(csv.DictReader(table))
    records = list(dataset.records("labels"))
    assert len(records) == len(rows)
    for name in ("clip_id", "singer"):
        assert [record[f"labels/{name}"] for record in records] == [int(row[name]) for row in rows]
    (raw, *_) = dataset.records("annotations")
    assert raw["annotations/mp3_path"].decode().endswith(".mp3")
