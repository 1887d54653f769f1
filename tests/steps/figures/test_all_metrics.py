import json

from autotagging.steps.figures.all_metrics import all_metrics
from earlier_steps import UNDEFINED, assert_brackets, many, seeds, written


def test_every_metric_has_its_interval(results):
    all_metrics(metrics=seeds(results, "metrics.json"), table_files=written(results))
    text = written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert_brackets(text.splitlines()[0])
    notes = text.splitlines()[-1]
    assert "Means over tags use 2 of 3 for crnn: all test clips, or none, have drum." in notes
    assert UNDEFINED in notes
    row = "| ROC-AUC, mean over tags (macro) |  | 0.750 ± 0 [0.625, 0.875] | 0.625 | 0.500 |"
    assert row in text


def test_models_of_other_test_clips_say_so(results):
    path = results / "seed-1/metrics.json"
    other = {**json.loads(path.read_text()), "model": "lookup", "n_clips": 4}
    path.write_text(json.dumps(other))
    all_metrics(metrics=seeds(results, "metrics.json"), table_files=written(results))
    caption = written(results).md.read_text().splitlines()[0]
    assert caption.endswith("test clips whose audio can be read: 3 for crnn, 4 for lookup.")


def test_many_models_have_a_row_each(results):
    metrics, _ = many(results, "per_tag.csv")
    all_metrics(metrics=metrics, table_files=written(results))
    text = written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "| model or baseline | ROC-AUC, mean over tags (macro) |" in text
    heads = [line for line in text.splitlines() if line.startswith("| model or baseline |")]
    assert max(head.count("|") for head in heads) <= 1 + 5  # as many as a page of paper holds
    assert "| m_4 | 0.750 [0.625, 0.875] |" in text
    assert "**Above a threshold: 0.5.**" in text
    assert UNDEFINED in text.splitlines()[-1]
