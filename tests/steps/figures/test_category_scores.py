from autotagging.steps.figures.category_scores import category_scores
from earlier_steps import UNDEFINED, assert_brackets, drawn, files_in, many, seeds, written


def test_each_category_has_its_interval(results):
    category_scores(
        metrics=seeds(results, "metrics.json"),
        per_category=seeds(results, "per_category.csv"),
        figure_files=drawn(results),
        table_files=written(results),
    )
    text = written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert_brackets(text.splitlines()[0])
    assert UNDEFINED in text.splitlines()[-1]
    assert files_in(results / "figures") == ["out.png", "out.svg"]
    row = "| mood | 2 | 1 | 0.250 ± 0 | 0.400 ± 0 | -0.500 ± 0 [-0.625, -0.250] | yes |"
    assert row in text


def test_many_models_have_a_row_each(results):
    metrics, per_category = many(results, "per_category.csv")
    category_scores(
        metrics=metrics,
        per_category=per_category,
        figure_files=drawn(results),
        table_files=written(results),
    )
    text = written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "| model | all | mood | vocal |" in text
    assert "| m_3 | -0.500 [-0.625, -0.250] | 0.500 [-0.125, 0.750] |" in text
    assert "Clear:" not in text
