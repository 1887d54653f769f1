"""Processes that train together, from TF_CONFIG or from Slurm's variables."""

import json
import re
from collections.abc import Mapping

from autotagging.common.errors import UserError
from autotagging.training.settings import DeviceChoice

# A port for each process of a job, because Slurm can run several nodes on one machine.
_FIRST_PORT, _PORTS, _PORTS_OF_A_JOB = 12_000, 20_000, 16


def cluster_config(environment: Mapping[str, str]) -> dict:
    """List the processes that train together: from TF_CONFIG, or else from Slurm's variables.

    Parameters
    ----------
    environment
        Environment variables of this process.

    Returns
    -------
    config
        {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": ...}}; the
        first worker writes the results.

    Raises
    ------
    UserError
        Neither is set, TF_CONFIG has other kinds of tasks, or Slurm has not started one process on
        each node.
    """
    if "TF_CONFIG" in environment:
        return _checked_config(environment["TF_CONFIG"])
    names = ("SLURM_JOB_ID", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NODELIST")
    if missing := [name for name in names if name not in environment]:
        raise UserError(
            f"devices multi_worker: neither TF_CONFIG nor {missing[0]} is set; start a process on "
            "each machine with srun, or set TF_CONFIG"
        )
    job, worker, tasks = (int(environment[name]) for name in names[:3])
    nodes = _expand(environment["SLURM_STEP_NODELIST"])
    if not 1 < tasks == len(nodes):
        raise UserError(
            f"devices multi_worker: srun started {tasks} processes on {len(nodes)} nodes; it takes "
            "two nodes or more, and one process on each"
        )
    ports = [_FIRST_PORT + (_PORTS_OF_A_JOB * job + index) % _PORTS for index in range(tasks)]
    return {
        "cluster": {"worker": [f"{node}:{port}" for node, port in zip(nodes, ports, strict=True)]},
        "task": {"type": "worker", "index": worker},
    }


def is_first(devices: DeviceChoice, environment: Mapping[str, str]) -> bool:
    """Tell whether this process writes the results, before it is connected to the others."""
    return devices != "multi_worker" or cluster_config(environment)["task"]["index"] == 0


def _checked_config(text: str) -> dict:
    """Read TF_CONFIG, which must name two or more workers, and no other kind of task."""
    try:
        config = json.loads(text)
        tasks, task = config["cluster"], config["task"]
        valid = [*tasks] == ["worker"] and task["type"] == "worker"
        valid = valid and 0 <= task["index"] < len(tasks["worker"]) > 1
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise UserError(
            f"TF_CONFIG is {text!r}; expected "
            '{"cluster": {"worker": ["host:port", "host:port", ...]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
    return config


def _expand(nodes: str) -> list[str]:
    """List the hosts of a Slurm node list such as "a[1-2,07],b", in its order."""
    hosts = []
    for prefix, ranges in re.findall(r"([^,\[]+)(?:\[([^]]+)\])?", nodes):
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            numbers = range(int(first), int(last or first) + 1) if first else [""]
            hosts += [f"{prefix}{number:0>{len(first)}}" for number in numbers]
    return hosts
