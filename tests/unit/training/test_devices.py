"""Devices and processes that a training may use, and what is said where they are not there."""

import json
from contextlib import nullcontext

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.common.versions import NOT_INSTALLED

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.training

SLURM = {
    "SLURM_JOB_ID": "70001",
    "SLURM_PROCID": "2",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NODELIST": "gpu[9-10,012],big",
}


def tf_config(*, worker, index, kind="worker"):
    return json.dumps({"cluster": {"worker": worker}, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(("gpus", "sees"), [(0, "none"), (1, "1")])
def test_several_gpus_must_be_there(monkeypatch, gpus, sees):
    from autotagging.training.devices import choose

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"] * gpus)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grows: None)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {})
    with pytest.raises(UserError, match=f"two GPUs or more, and TensorFlow sees {sees};"):
        choose("mirrored", threads=1)


@pytest.mark.parametrize(
    ("installed", "visible", "warns"),
    [
        ("9.28.0.42", None, True),
        ("9.28.0.42", "1", True),  # of a machine with one
        ("9.28.0.42", "", False),
        ("9.28.0.42", "-1", False),
        (NOT_INSTALLED, None, False),
    ],
)
def test_a_gpu_that_was_expected_is_missed(monkeypatch, capsys, installed, visible, warns):
    from autotagging.training import devices

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(devices, "version_of", lambda name: installed)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.choose("auto", threads=1).label == "CPU, 1 threads"
    warning = "warning: TensorFlow finds no GPU, so this runs on the CPU; `autotagging doctor`"
    assert capsys.readouterr().err.startswith(warning) == warns


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["H200"], "1 GPU (H200)"),
        (["H200", "H200"], "2 GPUs (H200)"),
        (["V100", "H200"], "2 GPUs (H200, V100)"),
    ],
)
def test_a_label_counts_and_names_the_gpus(monkeypatch, names, label):
    """A checkpoint of another kind of GPU is of other devices."""
    from autotagging.training import devices

    details = tf.config.experimental
    monkeypatch.setattr(details, "get_device_details", lambda gpu: {"device_name": gpu})
    assert devices._label(names) == label


def test_slurms_variables_say_which_processes_there_are():
    """In Slurm's order, which its numbers of processes follow: not in that of the alphabet."""
    from autotagging.training.cluster import cluster_config

    config = cluster_config(SLURM)
    # 12000 and the rest of 16 x 70001 / 20000.
    hosts = ["gpu9:12016", "gpu10:12017", "gpu012:12018", "big:12019"]
    assert config == json.loads(tf_config(worker=hosts, index=2))


@pytest.mark.parametrize(
    ("devices", "index", "first"),
    [("multi_worker", 0, True), ("multi_worker", 1, False), ("mirrored", 1, True)],
)
def test_the_first_of_several_processes_writes(devices, index, first):
    from autotagging.training.cluster import is_first

    environment = {"TF_CONFIG": tf_config(worker=["a:1", "b:1"], index=index)}
    assert is_first(devices, environment) == first


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "neither TF_CONFIG nor SLURM_JOB_ID is set; start a process on each machine"),
        ({**SLURM, "SLURM_STEP_NUM_TASKS": "8"}, "srun started 8 processes on 4 nodes"),
        (
            {**SLURM, "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NODELIST": "gpu1"},
            "1 processes on 1 nodes; it takes two nodes or more",
        ),
        ({"TF_CONFIG": "worker"}, "TF_CONFIG is 'worker'; expected"),
        ({"TF_CONFIG": tf_config(worker=["a:1", "b:1"], index=2)}, "expected"),
        ({"TF_CONFIG": tf_config(worker=["a:1"], index=0)}, "expected"),
        ({"TF_CONFIG": tf_config(worker=["a:1", "b:1"], index=0, kind="ps")}, "expected"),
    ],
)
def test_what_is_no_set_of_processes_is_said(environment, message):
    from autotagging.training.cluster import cluster_config

    with pytest.raises(UserError, match=message):
        cluster_config(environment)


@pytest.mark.parametrize(
    ("label", "described"),
    [("CPU, 2 threads", "CPU, 2 threads"), ("4 GPUs", "4 GPUs, 2 threads")],
)
def test_a_training_is_told_by_its_devices_and_threads(label, described):
    from autotagging.training.devices import Devices

    assert Devices(label).describe(2) == described


EXHAUSTED = "Graph execution error:\n\nOut of memory while trying to allocate 2214592512 bytes."


@pytest.mark.parametrize(
    ("gpus", "said"),
    [
        (["GPU:0"], r"the GPU's memory is full: free some \(`nvidia-smi` shows what uses it\)"),
        ([], r"the machine's memory is full: free some \(`top` shows what uses it\)"),
    ],
)
def test_a_full_memory_is_one_line(monkeypatch, gpus, said):
    from autotagging.training.devices import full_memory_explained

    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    errors = tf.errors
    for error in (
        errors.ResourceExhaustedError(None, None, EXHAUSTED),
        errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY"),
        errors.InternalError(None, None, "CUDNN_STATUS_ALLOC_FAILED"),
    ):
        message = f"^{said} and run again; or sing$"
        with pytest.raises(UserError, match=message), full_memory_explained("sing"):
            raise error
    with pytest.raises(errors.InternalError), full_memory_explained("sing"):
        raise errors.InternalError(None, None, "CUDA_ERROR_LAUNCH_FAILED")


def test_threads_copy_batches_to_a_gpu(monkeypatch):
    from autotagging.training.devices import ONE_DEVICE

    chosen = []

    def device(name):
        chosen.append(name)
        return nullcontext()

    def gather(clip_ids):
        return clip_ids[:, None].astype(np.float16)

    assert ONE_DEVICE.copied(gather) is gather
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    monkeypatch.setattr(tf, "device", device)
    batch = ONE_DEVICE.copied(gather)(np.array([3, 5]))
    assert chosen == ["GPU:0"]
    assert (batch.dtype, batch.numpy().tolist()) == (tf.float16, [[3.0], [5.0]])
