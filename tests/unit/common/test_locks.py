import errno
import fcntl
import io
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from autotagging.common.errors import UserError
from autotagging.common.locks import locked

HOLD = """
import sys
from pathlib import Path
from autotagging.common.locks import locked
with locked(Path(sys.argv[1]), "the work"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new/.lock"


def test_the_second_is_told_who_holds_it_and_nothing_is_left(path):
    holder = rf"process {os.getpid()} on {socket.gethostname()} \(to stop it: kill {os.getpid()}\)"
    message = f"^the work: {holder} is at work on it; wait for it, or stop it$"
    with locked(path, "the work"), pytest.raises(UserError, match=message):
        locked(path, "the work").__enter__()
    with locked(path, "the work"):
        pass
    assert not list(path.parent.iterdir())


def test_the_second_waits_and_says_so(path, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    first = locked(path, "the work")
    first.__enter__()
    second = threading.Thread(target=locked(path, "the work", wait=True).__enter__, daemon=True)
    second.start()
    for _ in range(1000):
        if shown.getvalue().endswith("\n"):
            break
        time.sleep(0.01)
    assert shown.getvalue().startswith(f"the work: waiting for process {os.getpid()} on ")
    assert second.is_alive()
    first.__exit__(None, None, None)
    second.join(10)
    assert not second.is_alive()


def test_a_killed_holder_holds_nothing(path):
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=f"process {holder.pid} on "):
            locked(path, "the work").__enter__()
        holder.kill()
        holder.wait()
        assert path.exists()
        with locked(path, "the work"):
            pass


@pytest.mark.parametrize("odd", ["folder", "link", "read-only folder"])
def test_what_is_no_file_stops_nothing_and_is_left_alone(path, tmp_path, odd):
    path.parent.mkdir()
    if odd == "folder":
        path.mkdir()
    elif odd == "link":
        (tmp_path / "of others").write_text("content")
        path.symlink_to(tmp_path / "of others")
    else:
        path.parent.rmdir()
        path.parent.symlink_to("/proc")
    with locked(path, "the work"):
        pass
    if odd == "link":
        assert (tmp_path / "of others").read_text() == "content"


@pytest.mark.parametrize("wait", [True, False])
def test_without_locks_the_work_goes_on_and_who_would_wait_says_so(path, monkeypatch, capsys, wait):
    def no_lock(descriptor, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_lock)
    with locked(path, "the work", wait=wait), locked(path, "the work"):
        pass
    line = "the work: no lock can be had here; let no other process do the same at this time\n"
    assert capsys.readouterr().err == (line if wait else "")
    assert not list(path.parent.iterdir())


def test_the_file_of_a_holder_stays_where_another_can_get_no_lock(path, monkeypatch):
    def no_lock(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    with locked(path, "the work"):
        with monkeypatch.context() as patched:
            patched.setattr(fcntl, "flock", no_lock)
            with locked(path, "the work"):
                pass
        with pytest.raises(UserError, match="the work"), locked(path, "the work"):
            pass


def test_the_file_of_another_user_stays_where_it_can_not_be_locked(path, monkeypatch):
    """NFS locks files that are open for writing alone."""
    opened = os.open

    def open_file(file, flags, *mode):
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(file, flags, *mode)

    def no_lock(descriptor, operation):
        raise OSError(errno.EBADF, "Bad file descriptor")

    with locked(path, "the work"):
        with monkeypatch.context() as other:
            other.setattr(os, "open", open_file)
            other.setattr(fcntl, "flock", no_lock)
            with locked(path, "the work"):
                pass
        with pytest.raises(UserError, match=f"process {os.getpid()} on "):
            locked(path, "the work").__enter__()
