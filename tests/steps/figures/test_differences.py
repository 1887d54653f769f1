import pandas as pd

from autotagging.metrics.settings import Bootstrap
from autotagging.steps.figures.differences import differences
from earlier_steps import RUN, UNDEFINED, many, seeds, write_run, written


def test_differences_compares_models_tag_by_category(results):
    other = results / "lookup"
    other.mkdir()
    write_run(other, {**RUN, "model": "lookup"})
    (results / "tags.csv").write_text(
        "tag,category\ndrum,instrument\npiano,instrument\nno singer,vocal\n"
    )
    output = written(results)
    differences(
        predictions=[*seeds(results, "predictions.npz"), other / "predictions.npz"],
        metrics=[*seeds(results, "metrics.json"), other / "metrics.json"],
        tags=results / "tags.csv",
        bootstrap=Bootstrap(resamples=20, confidence=0.9, bootstrap_seed=0),
        table_files=output,
    )
    table = pd.read_csv(output.csv)
    assert table["tags"].unique().tolist() == ["all", "instrument", "vocal"]
    assert set(table["second"]) == {"lookup"}
    text = output.md.read_text()
    caption, _, heading, *_ = text.splitlines()
    assert "90 % confidence interval, bootstrap over 12 artists; 20 resamples." in caption
    assert heading.startswith("| tags | metric | first | second |")
    assert "tracks" not in heading
    assert UNDEFINED in text
    assert "the CSV file also has intervals from resampled tracks and clips" in text


def test_several_models_are_compared_with_the_first_and_in_pairs(results):
    (results / "tags.csv").write_text("tag,category\ndrum,mood\npiano,mood\nno singer,mood\n")
    metrics, predictions = many(results, "predictions.npz")
    differences(
        predictions=predictions,
        metrics=metrics,
        tags=results / "tags.csv",
        bootstrap=Bootstrap(resamples=20, confidence=0.9, bootstrap_seed=0),
        table_files=written(results),
    )
    text = written(results).md.read_text()
    titles = ("Minus m_0", "Minus m_0, by category", "ROC-AUC of every pair")
    assert f"**{titles[1]}, minus rest.**" in text
    places = [text.index(f"**{title}.**") for title in titles]
    assert places == sorted(places)
    assert len(pd.read_csv(written(results).csv)) == 10 * 2 * 2  # pairs, groups of tags, metrics
    assert "| model | m_0 | m_1 | m_2 | m_3 | m_4 |" in text
