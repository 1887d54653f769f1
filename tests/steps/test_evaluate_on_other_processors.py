"""What evaluate and the tables compute from the same scores, on processors with other kernels."""

import os
import subprocess
import sys

from conftest import ROOT

EVALUATION = """
import json, sys
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.files import sha256
from autotagging.metrics.scores import Scores
from autotagging.metrics.settings import Bootstrap, EvaluationSettings
from autotagging.models.stored import StoredModel
from autotagging.reporting.outputs import TableFiles
from autotagging.steps import evaluate as step
from autotagging.steps.figures.all_metrics import all_metrics
from autotagging.steps.figures.differences import differences

folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
CLIPS, TAGS = 400, [f"tag {number}" for number in range(7)]
subset = pd.Series(rng.choice(["train", "validation", "test"], CLIPS, p=[0.3, 0.2, 0.5]))
labels = pd.DataFrame((rng.random((CLIPS, 7)) < 0.3).astype(int), columns=TAGS)
id_and_path = pd.DataFrame({"clip_id": range(CLIPS), "mp3_path": "x"})
id_and_path.join(labels).to_csv(folder / "labels.csv", index=False)
id_and_path.assign(subset=subset).to_csv(folder / "split.csv", index=False)
track = [f"t{number}" for number in rng.integers(150, size=CLIPS)]
groups = {"clip_id": range(CLIPS), "track": track, "album": "a", "artist": "b"}
pd.DataFrame(groups).to_csv(folder / "groups.csv", index=False)
categories = {"tag": TAGS, "category": ["mood", "genre", "mood", "other", "genre", "mood", "mood"]}
pd.DataFrame(categories).to_csv(folder / "tags.csv", index=False)
bootstrap = Bootstrap(resamples=150, confidence=0.95, bootstrap_seed=0)
settings = EvaluationSettings(threshold=0.5, precision_at=[1, 3], calibration_bins=7)


def scores(name):
    actual = labels[subset == name].to_numpy()
    return (rng.random(actual.shape) * 0.7 + 0.3 * actual * rng.random(actual.shape)).astype("f")


def score_network(*_, **options):
    others = [(1, scores("test")), (3, scores("test"))]
    return Scores(scores("test"), scores("validation")), others


trained_on = {f"{name}_sha256": sha256(folder / f"{name}.csv") for name in ("labels", "split")}
step.load_model = lambda path: StoredModel(
    path,
    {"model": path.stem, "seed": 0, "corpus": "c", "split": "s", "synonyms": "merge",
     "tags": TAGS, "epochs": 3, "best_epoch": 2, "trained_on": trained_on},
    {},
)
step._open_store = lambda stored, data: type("Store", (), {"clip_ids": pd.RangeIndex(CLIPS)})
step.score_network = score_network
names = ("predictions.npz", "metrics.json", "per_tag.csv", "per_category.csv", "per_epoch.csv",
         "roc.csv", "calibration.csv", "versions.json", "SHA256SUMS")
for model in ("crnn", "lookup"):
    data = step.EvaluationData(
        *(folder / f"{name}.csv" for name in ("labels", "tags", "split", "groups"))
    )
    step.evaluate(
        model_json=folder / f"{model}.json",
        data=data,
        settings=settings,
        bootstrap=bootstrap,
        pseudo_count=1.0,
        batch_size=1,
        threads=1,
        files=step.EvaluationFiles(*(folder / f"{model}-{name}" for name in names)),
    )


def table_files(name):
    return TableFiles(*(folder / f"{name}.{kind}" for kind in ("csv", "md", "html", "tex")))


metrics = [folder / f"{model}-metrics.json" for model in ("crnn", "lookup")]
all_metrics(metrics=metrics, table_files=table_files("all_metrics"))
differences(
    predictions=[folder / f"{model}-predictions.npz" for model in ("crnn", "lookup")],
    metrics=metrics,
    tags=folder / "tags.csv",
    bootstrap=bootstrap,
    table_files=table_files("differences"),
)
assert "tensorflow" not in sys.modules
"""

PROCESSORS = [
    {"OPENBLAS_NUM_THREADS": "1"},
    {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "2"},
    {
        "OPENBLAS_CORETYPE": "Prescott",
        "OPENBLAS_NUM_THREADS": "1",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2,-AVX512F",
    },
]
"""The processor as it is, and its use of older ones' kernels in BLAS, NumPy and the C library."""


def test_the_same_scores_give_the_same_bytes_on_every_processor(tmp_path):
    folders = [tmp_path / str(number) for number in range(len(PROCESSORS))]
    running = []
    for folder, settings in zip(folders, PROCESSORS, strict=True):
        folder.mkdir()
        command = [sys.executable, "-c", EVALUATION, folder]
        running.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}))
    assert [process.wait() for process in running] == [0] * len(PROCESSORS)
    written = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert len(written[0]) == 30
    for other in written[1:]:
        assert [name for name in written[0] if other[name] != written[0][name]] == []
