"""What holds on a CPU holds on a GPU. `make gpu-check` runs this; it is skipped without one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autotagging.common.files import load_arrays
from autotagging.tools.export import export
from conftest import ROOT

tf = pytest.importorskip("tensorflow")

# The trainings run once for all tests of this file.
pytestmark = [pytest.mark.gpu, pytest.mark.xdist_group("gpu")]

LOSS, VAL_LOSS = 1, 2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Function that trains in a process of its own, once for each name; returns what it left."""
    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("needs an NVIDIA GPU, and TensorFlow sees none")
    folder, left = tmp_path_factory.mktemp("gpu"), {}

    def train(name: str, *where: str) -> dict[str, np.ndarray]:
        if name not in left:
            script = Path(__file__).with_name("gpu_training.py")
            paths = filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")])
            finished = subprocess.run(
                [sys.executable, script, folder, name, *where],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                text=True,
                capture_output=True,
                check=False,
                timeout=300,
            )
            assert finished.returncode == 0, finished.stderr
            left[name] = load_arrays(folder / f"{name}.npz")
        return left[name]

    train.folder = folder
    return train


def test_a_training_step_is_that_of_the_cpu(run):
    """Adam's first moments are a tenth of the gradient; a convolution's bias has none.

    Rounding changes which of two nearly equal numbers a pooling takes, and with it the gradient.
    """
    expected, found = run("step on the cpu", "cpu"), run("step")
    assert float(found["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-4)
    moments = [name for name in expected if name.endswith("_momentum")]
    assert len(moments) == 2 * 9 + 2 * 3 + 2
    for name in moments:
        off = np.linalg.norm(found[name] - expected[name])
        assert off <= 2e-2 * np.linalg.norm(expected[name]), name


def test_the_same_seed_gives_the_same_bits(run):
    assert_equal(run("again"), run("whole"))


def test_a_training_goes_on_where_it_was_stopped(run):
    run("stop")
    assert (run.folder / "stopped").is_dir()
    assert_equal(run("resume"), run("whole"))


def assert_equal(found, expected):
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_network_learns_in_16_bits_as_in_32(run, precision):
    expected, found = run("whole")["history"], run(precision)["history"]
    assert expected[0, LOSS] - expected[-1, LOSS] > 0.05
    np.testing.assert_allclose(found[:, LOSS], expected[:, LOSS], atol=0.05)


def test_a_network_trained_on_a_gpu_scores_the_same_on_a_cpu_after_export(run):
    trained, out = run("whole"), run.folder / "exported"
    export(model_json=run.folder / "whole" / "model.json", out=out)
    with tf.device("CPU"):
        loaded = tf.keras.models.load_model(out / "model.keras", compile=False)
        scores = loaded(trained["mel"].astype(np.float32), training=False).numpy()
    np.testing.assert_allclose(scores, trained["scores"], atol=1e-4)
