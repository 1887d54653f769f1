"""A Slurm cluster of two nodes on this machine, there as long as a command or a test needs it.

    python tests/cluster/slurm.py sinfo    # runs a command on it
    python tests/cluster/slurm.py          # only installs Slurm, if it is missing

All daemons (munged, slurmctld, and one slurmd per node) are its own: they know nothing of a Slurm
or munge that the machine has, and use a configuration, sockets, ports, a key and spool folders of
their own. It needs Debian or Ubuntu, and root, because munged and slurmd do.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
PACKAGES = ("munge", "slurm-wlm")
COMMANDS = ("sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun", "sshare")
# What Slurm believes that each node has; memory in MB. It asks for no more than a device file.
CPUS, MEMORY, GPUS = 8, 64_000, ("/dev/null", "/dev/zero")

# proctrack/linuxproc and task/none need no cgroups, which containers often lack. Finished jobs stay
# in squeue's list (MinJobAge), because without accounting nothing else says how they ended.
CONFIGURATION = """\
ClusterName=temporary
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0
MinJobAge=86400
KillWait=5
ReturnToService=2
MailProg=/bin/true
GresTypes=gpu
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool-%n
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
NodeName=DEFAULT CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus}
NodeName={host} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]}
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE
"""


class ClusterError(Exception):
    """The cluster can't be installed or started."""


def _find(program: str) -> str | None:
    """Find a program, or a daemon in the folders that `su` and sudo's callers may lack in PATH."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")


def missing() -> str:
    """Say why no cluster can be started here; "" if one can."""
    if os.geteuid() != 0:
        return "a Slurm of its own needs root"
    absent = [name for name in DAEMONS if not _find(name)]
    return f"{', '.join(absent)} not installed; `make test-cluster` does it" if absent else ""


def install() -> None:
    """Install Debian's packages of Slurm and munge, if they are missing; root is needed."""
    if all(map(_find, DAEMONS)):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ClusterError(f"{' and '.join(PACKAGES)} are missing; install them, or run as root")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", "--quiet", *command], check=True, env=environment)


@contextmanager
def cluster() -> Iterator[Path]:
    """Run a cluster until the block ends, however it ends.

    Yields
    ------
    commands
        Folder of Slurm's commands for this cluster, for the beginning of PATH.

    Raises
    ------
    ClusterError
        It did not start.
    """
    if reason := missing():
        raise ClusterError(reason)
    host = socket.gethostname().partition(".")[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        commands = _configure(folder, host)
        stack.callback(_kill_all, folder)
        stack.enter_context(_munged(folder))
        for command in (
            ["slurmctld", "-D"],
            ["slurmd", "-D", "-N", host],
            ["slurmd", "-D", "-N", "localhost"],
        ):
            stack.enter_context(_daemon([commands / command[0], *command[1:]], folder))
        _wait([commands / "sinfo", "--noheader", "--format=%T,%D"], "idle,2", folder)
        stack.callback(subprocess.run, [commands / "scancel", "--user=root"], check=False)
        yield commands


def _configure(folder: Path, host: str) -> Path:
    """Write the configuration, and Slurm's commands for it; return the folder of the commands.

    The variable SLURM_CONF alone would not do: Snakemake's plugin removes it from jobs.
    """
    folder.chmod(0o711)  # munged wants a socket that everybody can reach
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder, host=host, ports=_free_ports(3), cpus=CPUS, memory=MEMORY, gpus=len(GPUS)
        )
    )
    (folder / "gres.conf").write_text("".join(f"Name=gpu File={device}\n" for device in GPUS))
    (folder / "state").mkdir()
    commands = folder / "bin"
    commands.mkdir()
    for name in filter(_find, [*COMMANDS, *DAEMONS]):
        command = f'SLURM_CONF={configuration} exec {_find(name)} "$@"'
        (commands / name).write_text(f"#!/bin/sh\n{command}\n")
        (commands / name).chmod(0o755)
    return commands


def _free_ports(count: int) -> list[int]:
    """Find ports that nobody uses."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _munged(folder: Path) -> Iterator[None]:
    """Run munged with a new key."""
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))
    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "seed", "log")]
    socket_file = f"--socket={folder}/munge.socket"
    with _daemon([_find("munged"), "--foreground", socket_file, *files], folder):
        _wait(["munge", socket_file, "--no-input"], "MUNGE", folder)
        yield


@contextmanager
def _daemon(command: list[str | Path], folder: Path) -> Iterator[None]:
    """Run a daemon in the foreground; it also ends when this process is killed."""
    with (folder / "daemons.out").open("a") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(command: list[str | Path], expected: str, folder: Path) -> None:
    """Wait until a command prints a text, for at most a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if expected in ran.stdout:
            return
        time.sleep(0.2)
    logs = [
        f"{path.name}: {path.read_text(errors='replace')[-2000:]}"
        for path in [*folder.glob("*.log"), folder / "daemons.out"]
    ]
    raise ClusterError("\n".join([f"{command[0]}: {ran.stdout}{ran.stderr}", *logs]))


def _kill_all(folder: Path) -> None:
    """Kill what is left of a cluster: all processes with its folder in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has just ended
            if f"{folder}/".encode() in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


def main(command: list[str]) -> int:
    """Install Slurm; run a command, if one is given, on a cluster, and return its exit status."""
    install()
    if not command:
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with cluster() as commands:
        environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ClusterError as error:
        sys.exit(str(error))
