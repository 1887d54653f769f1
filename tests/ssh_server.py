"""An SSH server of its own on this machine, for a test."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")
"""Debian's openssh-server; None where it is not installed."""

_SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/client_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""
_CLIENT = """
Host storage
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/client_key
"""


@contextmanager
def ssh_server(folder: Path) -> Iterator[Path]:
    """Run a server that one key may log in to; yield a home folder that knows it as `storage`."""
    for key in ("host_key", "client_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key]
        subprocess.run(command, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    values = {"port": port, "folder": folder, "user": getpass.getuser()}
    (home / ".ssh/config").write_text(_CLIENT.format(**values))
    (folder / "sshd_config").write_text(_SERVER.format(**values))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd of root demands it
    with (folder / "sshd.log").open("w") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        _wait_for(port)
        yield home
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no SSH server at port {port}")
