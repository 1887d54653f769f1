import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.figure_2 import figure_2
from earlier_steps import assert_draws, drawn


def test_figure_2_is_drawn(results):
    names = {"tags": "tags.csv", "raw_tags": "raw_tags.csv", "audio": "audio.json"}
    assert_draws(figure_2, results, **{flag: results / name for flag, name in names.items()})


def test_a_corpus_without_a_title_is_named(results):
    (results / "audio.json").write_text('{"corpus": "demo"}')
    names = {"tags": "tags.csv", "raw_tags": "raw_tags.csv", "audio": "audio.json"}
    inputs = {flag: results / name for flag, name in names.items()}
    with pytest.raises(UserError, match=r"audio\.json: no entry 'title'"):
        figure_2(**inputs, figure_files=drawn(results))
