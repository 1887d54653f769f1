import pytest

from conftest import ROOT
from earlier_steps import write_results


@pytest.fixture
def results(tmp_path):
    """Folder with the files of the steps before, for a model with two seeds."""
    write_results(tmp_path)
    return tmp_path


@pytest.fixture
def published():
    return ROOT / "workflow/resources/published.yaml"
