"""Files that figures read: one line says what is wrong with them."""

import pytest

from autotagging.common.errors import UserError
from autotagging.reporting.inputs import read_published

PAPER = (
    b"[{method: A, year: 1, roc_auc: 1, citation: A, tags: A, split: A, comparable: true, note: A, "
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a list of rows, each with method, year"),
        (b"method: CRNN\n", "expected a list of rows"),
        (b"- [CRNN\n", "not valid YAML"),
        (b"- method: \xe9\n", "not valid YAML"),
        (b"- method: CRNN\n", "row 1 has no 'year'; add it"),
        (PAPER + b"this_paper: true, epochs: 1}]", "row 1 has no 'tag_names'; add it"),
        (PAPER + b"tag_names: [no]}]", "row 1: tag_names: expected a list of names"),
        (PAPER + b"tag_names: drum}]", "row 1: tag_names: expected a list of names"),
    ],
)
def test_faults_of_the_published_results_are_named(tmp_path, content, message):
    path = tmp_path / "published.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_published(path)
    assert str(error.value).startswith(f"{path}: {message}")
