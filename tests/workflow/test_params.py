"""params.yaml and its schema; the style of the workflow."""

import re

import numpy as np
import pytest
import yaml

from autotagging.common.params import read_schema
from autotagging.models import MODELS
from conftest import ROOT

ALLOWED_LINTS = {
    # pip and requirements.lock set up one environment for all steps; neither conda nor a
    # container engine is there to test another one with.
    "Specify a conda environment or container for each rule.",
}


@pytest.fixture(scope="module")
def project(make_project):
    return make_project()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            "learning_rate: 0.001",
            "lerning_rate: 0.001",
            "train: Additional properties are not allowed",
        ),
        ("batch_size: 32\n  epochs", "batch_size: many\n  epochs", "'many' is not of type"),
        (
            "pool_dropout: 0.1",
            "pool_dropout: 1.5",
            "train.crnn.pool_dropout: 1.5 is greater",
        ),
        ("models: [crnn, lookup]", "models: [rnn]", "params.yaml: models.0: 'rnn' is not one of"),
        ("monitor: val_loss", "monitor: accuracy", "'accuracy' is not one of"),
        ("  n_tags: 50", "  n_tags: 0", "n_tags"),
        ("resamples: 1000", "resamples: 1000000000", "resamples: 1000000000 is greater"),
        ("  seconds: 29.12", "  seconds: 1e308", "extract_mel.seconds: 1e+308 is greater"),
        ("  n_fft: 512", "  n_fft: 9223372036854775808", "n_fft: 9223372036854775808 is greater"),
        ("  cache: 1.0", f"  cache: 1{'0' * 400}", "is not of type 'number'"),
        ("  n_tags: 50", "", "merge_tags"),
    ],
)
def test_a_wrong_parameter_stops_everything_and_is_named(project, old, new, named):
    before = (project.folder / "params.yaml").read_text()
    project.replace("params.yaml", old, new)
    try:
        printed = project.run("snakemake -n", code=1)
    finally:
        (project.folder / "params.yaml").write_text(before)
    assert named in printed
    assert "Traceback" not in printed
    assert len(printed.splitlines()) < 10


def test_a_run_in_another_folder_is_refused(project, tmp_path):
    """Results, code and schemas are found from the project's folder."""
    (tmp_path / "params.yaml").write_text((project.folder / "params.yaml").read_text())
    printed = project.run(f"snakemake -n --directory {tmp_path}", code=1)
    assert f"run Snakemake in the project's folder, {project.folder.resolve()};" in printed
    assert "Traceback" not in printed


def test_a_wrong_parameter_of_a_configfile_is_named_with_the_file(project, tmp_path):
    (tmp_path / "mine.yaml").write_text("corpus: '2024'\nmerge_tags: {n_tags: 0}")
    printed = project.run(f"snakemake -n --configfile {tmp_path}/mine.yaml", code=1)
    assert f"params.yaml or {tmp_path}/mine.yaml: merge_tags.n_tags: 0 is less" in printed
    assert ": corpus: " not in printed  # text, though a number without its quotes


def test_every_key_is_described_and_nothing_else_is_allowed():
    schema = read_schema(ROOT / "workflow/schemas")

    def check(node, path):
        assert node.get("description"), f"{path} has no description"
        if node.get("type") == "object":
            assert node["additionalProperties"] is False, path
            own = path.endswith(".training")  # in place of the common ones, where given
            optional = {*node["properties"]} if own else {"training"}
            assert {*node["properties"]} - optional == {*node.get("required", [])}, path
            for name, child in node["properties"].items():
                check(child, f"{path}.{name}")

    check(schema, "params")


def numbers(node, name=""):
    """Yield the full name and the schema of each number; of a list, of its entries."""
    if {"integer", "number"} & {*np.atleast_1d(node.get("type", ""))}:
        yield name, node
    elif "items" in node:
        entries = {"description": node["description"], "in_list": True, **node["items"]}
        yield from numbers(entries, name)
    for key, child in node.get("properties", {}).items():
        yield from numbers(child, f"{name}.{key}".removeprefix("."))


NUMBERS = dict(numbers(read_schema(ROOT / "workflow/schemas")))
CHECKED_LATER = {  # by other parameters
    "extract_mel.n_mels": 96,
    "extract_mel.seconds": 2000,
    "train.pooled.components": 96,
}


def test_every_number_has_a_least_and_a_most():
    least, most = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
    assert [name for name, schema in NUMBERS.items() if not least & {*schema}] == []
    assert [name for name, schema in NUMBERS.items() if not most & {*schema}] == []


@pytest.mark.parametrize("bound", ["minimum", "maximum"])
def test_a_limit_of_a_number_is_in_its_description(bound):
    """All but 0 and 1, which go without saying."""
    for name, schema in NUMBERS.items():
        limit = schema.get(bound, 1)
        written = {str(limit), f"{limit:,}", f"{limit:.1e}".replace("e-0", "e-")}
        said = {word.strip(".,;:()") for word in schema["description"].split()}
        assert limit in (0, 1) or said & written, name


def test_the_workflow_takes_every_number_at_its_limit(project, tmp_path):
    """No number overflows what the rules compute of it."""
    content = {"models": [*MODELS]}
    for name, schema in NUMBERS.items():
        *sections, key = name.split(".")
        section = content
        for each in sections:
            section = section.setdefault(each, {})
        if "maximum" in schema:
            value = CHECKED_LATER.get(name, schema["maximum"])
            section[key] = [value] if schema.get("in_list") else value
    content["extract_mel"]["shards"] = 1
    (tmp_path / "limits.yaml").write_text(yaml.safe_dump(content))
    printed = project.run(f"snakemake -n --quiet all --configfile {tmp_path}/limits.yaml")
    assert "Traceback" not in printed


def test_the_same_models_have_a_folder_a_schema_and_a_section():
    rooms = (ROOT / "src/autotagging/models").iterdir()
    folders = {path.name for path in rooms if any(path.glob("*.py"))}
    schemas = {
        path.name.removesuffix(".schema.yaml")
        for path in (ROOT / "workflow/schemas/models").iterdir()
    }
    train = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]
    sections = {name for name, value in train.items() if isinstance(value, dict)}
    assert folders == set(MODELS)
    assert schemas == sections == folders


def test_the_numbers_of_the_paper_are_the_defaults():
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert params["corpus"] == "demo"
    assert params["merge_tags"]["n_tags"] == 50
    split = params["split"]
    assert (split["train"], split["test"], split["validation"]) == (19773, 4566, 1521)
    front_end = params["extract_mel"]
    assert [front_end[name] for name in ("sample_rate", "n_fft", "hop_length", "n_mels")] == [
        12_000,
        512,
        256,
        96,
    ]
    assert front_end["seconds"] == 29.12
    assert params["train"]["batch_size"] == 32
    assert params["train"]["epochs"] == 100
    assert params["evaluate"]["threshold"] == 0.5


def test_the_workflow_is_free_of_lints(project):
    # snakemake exits with 1 where there is any lint, allowed or not.
    printed = project.run("snakemake --lint", code=1)
    found = set(re.findall(r"^ {4}\* (.+?):?$", printed, flags=re.MULTILINE))
    assert found == {lint.rstrip(":") for lint in ALLOWED_LINTS}


def test_the_workflow_is_formatted(project):
    project.run("snakefmt --check Snakefile workflow")
