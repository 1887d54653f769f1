"""Models, a parameter and a metric are added by the edits that CONTRIBUTING names alone."""

import json
import re

import pandas as pd
import pytest

pytestmark = [pytest.mark.xdist_group("tiny_run"), pytest.mark.slow]

TABLE_MODEL = {
    "src/autotagging/models/popular/__init__.py": '''\
"""A baseline of tables: every clip gets the tags of the training clips, less rare ones."""

import numpy as np
from scipy.special import xlogy

READS = "tables"
LIBRARIES = ("scipy",)


def fit_popular(labels, groups, *, power):
    """Take each tag's share to a power."""
    return {"share": np.exp(xlogy(power, labels.mean().to_numpy()))}


def fits_popular(arrays, *, n_tags):
    """Tell whether there is a share of each tag."""
    return {name: array.shape for name, array in arrays.items()} == {"share": (n_tags,)}


def score_popular(arrays, groups, *, power):
    """Score every clip alike."""
    return np.tile(arrays["share"], (len(groups), 1)).astype(np.float32)
''',
    "workflow/schemas/models/popular.schema.yaml": """\
description: Every clip gets the tags of the training clips.
type: object
additionalProperties: false
required: [power]
properties:
  power:
    description: Power of a tag's share, 0 to 100.
    type: number
    minimum: 0
    maximum: 100
""",
    "tests/unit/models/test_popular.py": """\
import pandas as pd

from autotagging.models import table_model


def test_every_clip_gets_the_shares():
    labels, model = pd.DataFrame({"a": [0, 1]}), table_model("popular", power=2.0)
    arrays = model.fit(labels, labels)
    assert model.fits(arrays, n_tags=1)
    assert model.score(arrays, labels).tolist() == [[0.25], [0.25]]
""",
}
NETWORK = {
    "src/autotagging/models/mean_level/__init__.py": '''\
"""A network on the mean level of each mel bin."""

READS = "mel"
READS_DB = True
TRAINING_OPTIONS = ()
''',
    "src/autotagging/models/mean_level/network.py": '''\
"""Dense layers on the mean level of each mel bin."""

import keras


def build_mean_level(*, input_shape, n_tags, scale, hidden, precision="float32"):
    """Build it; the input is multiplied by `scale`, and `hidden` lists the units of layers."""
    inputs = keras.Input(input_shape, name="log_mel")
    x = keras.layers.Rescaling(scale)(inputs)
    x = keras.layers.GlobalAveragePooling1D(data_format="channels_first")(x)
    for units in hidden:
        x = keras.layers.Dense(units)(x)
    return keras.Model(inputs, keras.layers.Dense(n_tags, activation="sigmoid")(x))
''',
    "workflow/schemas/models/mean_level.schema.yaml": """\
description: Dense layers on the mean level of each mel bin.
type: object
additionalProperties: false
required: [scale, hidden]
properties:
  scale:
    description: Factor of the input, 0 to 10.
    type: number
    minimum: 0
    maximum: 10
  hidden:
    description: Units of each hidden layer, at most 1000.
    type: array
    items: {type: integer, minimum: 1, maximum: 1000}
""",
    "tests/unit/models/test_mean_level.py": """\
from autotagging import models


def test_it_has_a_weight_per_mel_bin_and_a_bias():
    options = {"scale": 0.1, "hidden": []}
    network = models.build("mean_level", input_shape=(96, 100), n_tags=1, **options)
    assert network.count_params() == 97
""",
}
ON_FEATURES = {
    "src/autotagging/models/loudness/__init__.py": '''\
"""A network on the mean and the maximum of each mel bin."""

READS = "features"
''',
    "src/autotagging/models/loudness/features.py": '''\
"""Mean and maximum of each mel bin, in units of the training clips' deviation."""

import numpy as np


def encode_loudness(mel, arrays):
    """Compute them for a clip: (1, 2 x mel bins)."""
    return np.concatenate([mel.mean(axis=1), mel.max(axis=1)])[None].astype(np.float32)


def fit_encoded_loudness(clips, encoded, arrays, *, seed, keep):
    """Compute the mean and the deviation of all values."""
    values = np.concatenate([*encoded.each(clips.clip_ids)])
    return {"mean": values.mean(), "deviation": values.std()}


def finish_loudness(encoded, arrays):
    """Standardize the values of a clip."""
    return (encoded - arrays["mean"]) / arrays["deviation"]
''',
    "src/autotagging/models/loudness/network.py": '''\
"""A dense layer on features."""

import keras


def build_loudness(*, input_shape, n_tags, l2):
    """Build it, with an L2 penalty on its weights."""
    inputs = keras.Input(input_shape, name="features")
    penalty = keras.regularizers.L2(l2)
    layer = keras.layers.Dense(n_tags, activation="sigmoid", kernel_regularizer=penalty)
    return keras.Model(inputs, layer(inputs))
''',
    "workflow/schemas/models/loudness.schema.yaml": """\
description: A dense layer on the mean and the maximum of each mel bin.
type: object
additionalProperties: false
required: [l2]
properties:
  l2:
    description: L2 penalty on the weights, 0 to 10.
    type: number
    minimum: 0
    maximum: 10
""",
    "tests/unit/models/test_loudness.py": """\
import numpy as np

from autotagging.models import feature_model


def test_the_mean_and_the_maximum_are_standardized():
    mel = np.array([[1, 3], [5, 5]], np.float32)
    features = feature_model("loudness").transform(mel, {"mean": 1.0, "deviation": 2.0})
    assert features.tolist() == [[0.5, 2.0, 1.0, 2.0]]
""",
}
TRAIN_PARAMETER = [
    ("params.yaml", "  schedule: constant\n", "  beta_1: 0.9\n  schedule: constant\n"),
    (
        "workflow/schemas/params.schema.yaml",
        "      - learning_rate\n",
        "      - learning_rate\n      - beta_1\n",
    ),
    (
        "workflow/schemas/params.schema.yaml",
        "      schedule:\n        description:",
        "      beta_1:\n        description: Decay of Adam's first moment, from 0 to below 1.\n"
        "        type: number\n        minimum: 0\n        exclusiveMaximum: 1\n"
        "      schedule:\n        description:",
    ),
    (
        "workflow/rules/train.smk",
        '            xla=config["train"]["xla"],\n',
        '            beta_1=config["train"]["beta_1"],\n            xla=config["train"]["xla"],\n',
    ),
    (
        "src/autotagging/training/settings.py",
        "    schedule\n        Course",
        "    beta_1\n        Decay of Adam's first moment.\n    schedule\n        Course",
    ),
    (
        "src/autotagging/training/settings.py",
        "    schedule: Schedule\n",
        "    beta_1: float\n    schedule: Schedule\n",
    ),
    (
        "src/autotagging/training/optimizer.py",
        "make_optimizer(model: keras.Model, rates: Rates)",
        "make_optimizer(model: keras.Model, rates: Rates, beta_1: float)",
    ),
    ("src/autotagging/training/optimizer.py", "Adam(rates)", "Adam(rates, beta_1=beta_1)"),
    (
        "src/autotagging/training/loop.py",
        "make_optimizer(model, rates)",
        "make_optimizer(model, rates, settings.beta_1)",
    ),
    ("docs/paper.md", "`train.learning_rate`, ", "`train.learning_rate`, `train.beta_1`, "),
    ("dvc.yaml", "      - train.schedule\n", "      - train.beta_1\n      - train.schedule\n"),
    (
        "tests/networks.py",
        '        "schedule": "constant",\n',
        '        "beta_1": 0.9,\n        "schedule": "constant",\n',
    ),
]
TEST_OF_TRAIN_PARAMETER = {
    "tests/unit/training/test_beta_1.py": """\
import numpy as np

from autotagging.training.devices import ONE_DEVICE
from autotagging.training.loop import Examples, fit, keras
from networks import checkpoints_in, training_settings


def trained(beta_1, folder):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(2, activation="sigmoid")]
    network = keras.Sequential([keras.Input([1, 3]), *layers])
    labels = np.tile(np.eye(2, dtype=np.float32), (8, 1))
    mel = np.ones((16, 1, 3), np.float32)
    examples = Examples(np.arange(16), labels, lambda clips: mel[clips])
    settings = training_settings(batch_size=2, epochs=1, beta_1=beta_1)
    how = {"name": "own", "seed": 0, "devices": ONE_DEVICE}
    fit(network, examples, examples, settings, **how, checkpoints=checkpoints_in(folder))
    return network.get_weights()[1].tolist()


def test_the_decay_has_an_influence(tmp_path):
    weights = [trained(beta_1, tmp_path / str(beta_1)) for beta_1 in (0.0, 0.9)]
    assert weights[0] != weights[1]
"""
}
METRIC = '''\
    "one_error": Metric(
        "share of clips whose first tag is wrong",
        by_clip=lambda labels, scores: 1.0 - labels[np.arange(len(labels)), scores.argmax(axis=1)],
    ),
}
"""Metrics by their names in metrics.json."""
'''


ADDED = {"popular": TABLE_MODEL, "mean_level": NETWORK, "loudness": ON_FEATURES}
STEPS = ("train", "evaluate")
"""Steps that run once per model."""
TESTS_OF_MODELS = (
    "tests/unit/test_libraries.py",
    "tests/unit/models/test_registry.py",
    "tests/workflow/test_mirror.py::test_only_models_on_features_run_the_code_of_features",
    "tests/workflow/test_mirror.py::test_a_model_is_trained_without_the_code_of_others",
)


def write(project, files):
    for path, content in files.items():
        (project.folder / path).parent.mkdir(exist_ok=True)
        (project.folder / path).write_text(content)


@pytest.fixture
def project(finished_copy):
    """A project with the results of the tiny run, in which all is as if it had been run there."""
    project = finished_copy()
    assert project.jobs("snakemake -n") == set()
    return project


def counts(project, command):
    """Run a command line; return how many jobs of each rule snakemake ran or would run."""
    lines = [line.split() for line in project.run(command).splitlines()]
    return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}


def changed_stages(project):
    """Ask DVC for the stages that are not as dvc.lock says, and what is new about each."""
    status = json.loads(project.run("dvc status --json"))
    return {
        stage: next(entry["changed deps"] for entry in entries if "changed deps" in entry)
        for stage, entries in status.items()
    }


def test_models_and_a_parameter_of_train_are_added(project):
    """Each step begins where the one before ended."""
    project.run("autotagging record")
    add_models(project)
    add_a_parameter_of_train(project)
    project.run("snakemake --touch --cores all --quiet all")  # as if all had run
    project.run("autotagging record")
    assert changed_stages(project) == {}
    edit_one_of_the_models(project)
    change_the_parameter(project)
    run_tests(project)


def add_models(project):
    """Four edits each, and nothing is trained but the models."""
    for files in ADDED.values():
        write(project, files)
    listed = f"models: [crnn, lookup, {', '.join(ADDED)}]"
    project.replace("params.yaml", "models: [crnn, lookup]", listed)
    project.replace(
        "params.yaml",
        "  lookup:\n",
        "  popular:\n    power: 1.0\n"
        "  mean_level:\n    scale: 0.1\n    hidden: [8, 4]\n"
        "  loudness:\n    l2: 0.01\n"
        "  lookup:\n",
    )
    planned = counts(project, "snakemake -n")
    assert (planned["train"], planned["evaluate"]) == (3, 3)
    assert not {"download", "merge_tags", "split", "extract_mel"} & set(planned)
    added = {f"{step}@{name}-0" for step in STEPS for name in ADDED}
    changed = changed_stages(project)
    assert set(changed) == {*added, "figures"}
    assert changed["figures"] == {"params.yaml": {"models": "modified"}}
    cards = [f"results/figures/model_card/{name}-seed-0.md" for name in ADDED]
    project.run(f"snakemake --cores all -- results/figures/table_4.csv {' '.join(cards)}")
    table = pd.read_csv(project.folder / "results/figures/table_4.csv")
    assert {"crnn", "lookup", *ADDED} <= set(table["model"])
    versions = project.folder / "results/train/popular/seed-0/versions.json"
    assert set(json.loads(versions.read_text())) == {"python", "numpy", "pandas", "scipy"}
    assert "train@popular-0" in project.run("dvc stage list")


def add_a_parameter_of_train(project):
    """Another setting of Adam."""
    for edit in TRAIN_PARAMETER:
        project.replace(*edit)
    write(project, TEST_OF_TRAIN_PARAMETER)
    assert counts(project, "snakemake -n")["train"] == 5


def edit_one_of_the_models(project):
    """An edit to its folder, or to its options, trains no other; a wrong one is named."""
    module = project.folder / "src/autotagging/models/popular/__init__.py"
    before = module.read_text()
    module.write_text(before + "\n# a comment\n")
    planned = counts(project, "snakemake -n")
    assert (planned["train"], planned["evaluate"]) == (1, 1)
    edited = {"src/autotagging/models/popular": "modified"}
    assert changed_stages(project) == {f"{step}@popular-0": edited for step in STEPS}
    module.write_text(before)
    project.replace("params.yaml", "power: 1.0", "power: 2.0")
    planned = counts(project, "snakemake -n")
    assert (planned["train"], planned["evaluate"]) == (1, 1)
    new = {"params.yaml": {"train.popular": "modified"}}
    assert changed_stages(project) == {"train@popular-0": new}
    project.replace("params.yaml", "scale: 0.1", "scale: large")
    assert "train.mean_level.scale: 'large' is not" in project.run("snakemake -n", code=1)
    project.replace("params.yaml", "scale: large", "scale: 0.1")
    project.replace("params.yaml", "power: 2.0", "power: 1.0")


def change_the_parameter(project):
    """A new value of it trains all again, whoever decides that."""
    project.replace("params.yaml", "beta_1: 0.9", "beta_1: 0.8")
    planned = project.run("snakemake -n -p")
    assert len(re.findall(r"autotagging train .* --beta-1 0\.8 ", planned)) == 5
    new = {"params.yaml": {"train.beta_1": "modified"}}
    stages = {f"train@{model}-0" for model in ("crnn", "lookup", *ADDED)}
    assert changed_stages(project) == dict.fromkeys(stages, new)
    ran = counts(project, "snakemake --cores 1 -- results/train/lookup/seed-0/model.json")
    assert ran["train"] == 1


def run_tests(project):
    """Those that came with the additions, and those of all models, which name what is missing."""
    written = {path for files in (*ADDED.values(), TEST_OF_TRAIN_PARAMETER) for path in files}
    tests = sorted(path for path in written if path.startswith("tests/"))
    tests += ["tests/unit/test_paper_page.py", *TESTS_OF_MODELS]
    project.run(f"pytest -n 0 -q {' '.join(tests)}")
    project.replace("src/autotagging/models/popular/__init__.py", 'LIBRARIES = ("scipy",)\n', "")
    failed = project.run("pytest -n 0 -q tests/unit/test_libraries.py -k popular", code=1)
    assert "scipy" in failed


def test_a_metric_is_added_by_one_row(project):
    end = '}\n"""Metrics by their names in metrics.json."""\n'
    project.replace("src/autotagging/metrics/table.py", end, METRIC)
    project.replace("params.yaml", "models: [crnn, lookup]", "models: [lookup]")
    ran = counts(project, "snakemake --cores all -- results/figures/all_metrics.csv")
    assert set(ran) - {"total"} == {"evaluate", "all_metrics"}
    metrics = json.loads(
        (project.folder / "results/evaluate/lookup/seed-0/metrics.json").read_text()
    )
    assert 0 <= metrics["one_error"] <= 1
    assert metrics["intervals"]["artists"]["one_error"]["high"] <= 1
    assert "one_error" in metrics["baselines"]["prior"]
    shown = (project.folder / "results/figures/all_metrics.md").read_text()
    assert "share of clips whose first tag is wrong" in shown
