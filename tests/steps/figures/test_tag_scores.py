from autotagging.steps.figures.tag_scores import tag_scores
from earlier_steps import UNDEFINED, assert_brackets, drawn, files_in, many, seeds, written


def test_each_tag_has_its_interval(results):
    tag_scores(
        metrics=seeds(results, "metrics.json"),
        per_tag=seeds(results, "per_tag.csv"),
        figure_files=drawn(results),
        table_files=written(results),
    )
    text = written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert_brackets(text.splitlines()[0])
    assert f"{UNDEFINED}, and its interval leaves them out. Scores" in text.splitlines()[-1]
    assert files_in(results / "figures") == ["out.png", "out.svg"]
    assert "| drum | instrument | 3 | 2 |  |" in text
    assert "| piano | instrument | 1 | 1 | 0.250 ± 0 [0.125, 0.500] |" in text


def test_many_models_have_a_table_per_area_without_intervals(results):
    metrics, per_tag = many(results, "per_tag.csv")
    tag_scores(
        metrics=metrics, per_tag=per_tag, figure_files=drawn(results), table_files=written(results)
    )
    text = written(results).md.read_text()
    counts = "test clips with tag | test artists with tag"
    assert f"| tag | category | {counts} | m_0 | m_1 | m_2 | m_3 | m_4 |" in text
    assert "| piano | instrument | 1 | 1 |" + " 0.250 |" * 5 in text
    assert "| piano | instrument | 1 | 1 |" + " 0.400 |" * 5 in text
    assert "0.125" in written(results).csv.read_text()  # a limit
    assert UNDEFINED in text
