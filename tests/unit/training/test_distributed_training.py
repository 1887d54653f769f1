"""Several devices and several processes train as one does; here they are all CPUs."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autotagging.common.files import load_arrays
from conftest import ROOT

tf = pytest.importorskip("tensorflow")

# The processes run once for all tests of this file.
pytestmark = [
    pytest.mark.xdist_group("devices"),
    pytest.mark.training,
    pytest.mark.slow,
]

EPOCH, LOSS, VAL_LOSS = 0, 1, 2


def start(folder: Path, where: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("distributed_training.py"), folder, where],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(folder: Path, *processes: subprocess.Popen) -> dict[str, dict[str, np.ndarray]]:
    """Wait for processes; return the arrays that they left, and what each printed."""
    try:
        printed = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * len(processes), printed
    left = {path.stem: load_arrays(path) for path in folder.glob("*.npz")}
    return {**left, "printed": dict(enumerate(printed))}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Trainings on one CPU device and on two of one process."""
    folder = tmp_path_factory.mktemp("machine")
    return finish(folder, start(folder, "one machine"))


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """Trainings in two processes that communicate over the network."""
    folder = tmp_path_factory.mktemp("workers")
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as b:
        ports = [server.getsockname()[1] for server in (one, b)]
    addresses = [f"127.0.0.1:{port}" for port in ports]
    processes = [
        start(
            folder,
            "worker",
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    return finish(folder, *processes)


def test_two_devices_have_the_loss_curve_of_one(machine):
    """The CRNN, without dropout, whose masks can't be the same."""
    one, two = machine["one crnn"]["history"], machine["two crnn"]["history"]
    assert one[:, EPOCH].tolist() == [1, 2, 3]
    assert one[0, LOSS] - one[-1, LOSS] > 0.02
    np.testing.assert_allclose(two[:, [LOSS, VAL_LOSS]], one[:, [LOSS, VAL_LOSS]], atol=1e-3)


def test_batches_that_can_not_be_halved_are_divided_too(machine):
    """Batches of 8, 8 and 1: the only clip of the last one is given to both devices."""
    one, two = machine["one uneven"], machine["two uneven"]
    np.testing.assert_allclose(two["history"], one["history"], atol=1e-5)


def test_a_step_leaves_what_a_step_of_one_device_does(machine):
    """On 2 and 3 clips: the scores in order, and the gradients, which Adam's moments are of."""
    one, two = machine["one step"], machine["two step"]
    assert two["scores"].shape == (5, 3)
    assert any("momentum" in name for name in one)
    for (name, expected), found in zip(one.items(), two.values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7, err_msg=name)


def test_a_model_of_several_devices_has_the_weights_of_one(machine):
    shapes = [
        {name: array.shape for name, array in machine[run].items() if name.startswith("weight")}
        for run in ("one crnn", "two crnn")
    ]
    assert shapes[0] == shapes[1]
    assert "weight norm_1.moving_variance" in shapes[0]


def test_gradients_that_overflow_on_one_device_are_left_out_on_both(machine):
    """In float16, with loss scaling, which halves its factor."""
    assert machine["overflow"]["finite"].tolist() == [True, True]
    assert machine["overflow"]["scales"].tolist() == [2.0**16, 2.0**16]


def test_divergence_on_two_devices_is_an_error_that_names_the_step(machine):
    assert "training diverged: loss is nan in epoch 1, step 2" in str(
        machine["divergence"]["message"]
    )


def test_masks_of_dropout_differ_between_devices_and_steps(machine):
    masks = machine["masks"]
    assert len({mask.tobytes() for mask in masks.values()}) == 4
    assert {value for mask in masks.values() for value in mask.tolist()} == {0, 2}


def test_two_devices_learn_with_dropout(machine):
    history = machine["two whole"]["history"]
    assert history[-1, LOSS] < history[0, LOSS]


def test_two_devices_go_on_where_they_were_stopped(machine):
    for name, expected in machine["two whole"].items():
        if name != "saved":
            np.testing.assert_array_equal(machine["two resumed"][name], expected, err_msg=name)


def test_two_processes_have_the_loss_curve_of_one(machine, workers):
    for worker in ("worker 0", "worker 1"):
        found = workers[f"{worker} uneven"]["history"]
        np.testing.assert_allclose(found, machine["one uneven"]["history"], atol=1e-5)


def test_two_processes_go_on_where_they_were_stopped_and_one_saves(workers):
    for worker in ("worker 0", "worker 1"):
        for name, expected in workers[f"{worker} whole"].items():
            found = workers[f"{worker} resumed"][name]
            assert name == "saved" or np.array_equal(found, expected), name
    # Two batches and the end of each of three epochs.
    assert [int(workers[f"worker {i} whole"]["saved"]) for i in range(2)] == [9, 0]
    assert [int(workers[f"worker {i} resumed"]["saved"]) for i in range(2)] == [5, 0]


def test_one_process_of_two_speaks(workers):
    speaks = ["epoch 3/3" in workers["printed"][worker] for worker in range(2)]
    assert speaks == [True, False]


def test_processes_that_differ_say_so(workers):
    for worker in ("worker 0", "worker 1"):
        assert "differ in numbers: [0] and [1]" in str(workers[f"{worker} error"]["message"])
