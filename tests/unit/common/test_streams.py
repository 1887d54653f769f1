"""Nothing that a command shows may fail it: every process of these tests must end with code 0."""

import os
import subprocess
import sys

import pytest

SHOW = """
import subprocess, sys
from autotagging.common.progress import native_log_hidden, progress, show_without_failing
show_without_failing()
with native_log_hidden():
    pass
for item in progress(range(3), total=3, label="counted"):
    print("é" * 5000, flush=True)
    print("é" * 5000, file=sys.stderr)
subprocess.run([sys.executable, "-c", "import os; os.fstat(1), os.fstat(2)"], check=True)
open(sys.argv[1], "w").write("done")
print("left in the buffer", end="")
"""


def ends_well(result, *streams, **environment):
    """Show something on both streams; a file of the work is written."""
    command = [sys.executable, "-c", SHOW, str(result), *streams]
    closed = [descriptor for descriptor in (1, 2) if f"{descriptor} closed" in streams]

    def close():
        for descriptor in closed:
            os.close(descriptor)

    with (
        open("/dev/full", "wb") as full,
        subprocess.Popen(
            command,
            stdout=full if "full" in streams else subprocess.PIPE,
            stderr=full if "full" in streams else subprocess.PIPE,
            env={**os.environ, **environment},
            preexec_fn=close,
        ) as process,
    ):
        if "no reader" in streams:
            process.stdout.close()
            process.stderr.close()
        elif "full" not in streams:
            process.communicate()
        code = process.wait()
    return code == 0 and result.read_text() == "done"


@pytest.mark.parametrize("stream", ["full", "no reader", "1 closed", "2 closed"])
def test_a_stream_that_fails_stops_nothing(tmp_path, stream):
    assert ends_well(tmp_path / "result", stream)


def test_a_letter_that_the_locale_lacks_stops_nothing(tmp_path):
    assert ends_well(tmp_path / "result", PYTHONIOENCODING="ascii")


def test_a_vanished_terminal_stops_nothing(tmp_path):
    controller, terminal = os.openpty()
    result = tmp_path / "result"
    command = [sys.executable, "-c", "input()\n" + SHOW, str(result)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        os.close(controller)
        process.stdin.write(b"go on\n")
        process.stdin.close()
        assert process.wait() == 0
    assert result.read_text() == "done"
