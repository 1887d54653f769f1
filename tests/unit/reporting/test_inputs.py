"""Files that figures read: one line says what is wrong with them."""

import pytest

from autotagging.common.errors import UserError
from autotagging.reporting.inputs import read_published


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a list of rows, each with method, year"),
        (b"method: CRNN\n", "expected a list of rows"),
        (b"- [CRNN\n", "not valid YAML"),
        (b"- method: \xe9\n", "not valid YAML"),
        (b"- method: CRNN\n", "row 1 has no 'year'; add it"),
    ],
)
def test_faults_of_the_published_results_are_named(tmp_path, content, message):
    path = tmp_path / "published.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_published(path)
    assert str(error.value).startswith(f"{path}: {message}")
