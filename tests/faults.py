"""Faults of files, as a person sees them."""

import pytest

from autotagging.common.errors import UserError


def assert_named(read, path, content: bytes, message: str) -> None:
    """Check that reading a file is an error of one line: its path, then the message."""
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}{message}")
    assert "\n" not in str(error.value)
