import numpy as np
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


def several_compared(results, *tags):
    """Compare five models whose tags are of these categories; return the Markdown."""
    (results / "tags.csv").write_text("\n".join(["tag,category", *tags, ""]))
    metrics, predictions = many(results, "predictions.npz")
    for path in predictions:
        labels = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8)
        artist = np.arange(3)
        np.savez(path, **{**np.load(path), "labels": labels, "artist": artist})
    differences(
        predictions=predictions,
        metrics=metrics,
        tags=results / "tags.csv",
        bootstrap=Bootstrap(resamples=20, confidence=0.9, bootstrap_seed=0),
        table_files=written(results),
    )
    return written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")


def test_the_gain_of_several_models_in_a_category_is_compared_with_the_rest(results):
    text = several_compared(results, "drum,mood", "piano,mood", "no singer,vocal")
    _, table = text.split("**Minus m_0, by category, minus rest.**")
    assert "| model | mood | vocal |" in table
    assert "| m_4 | -0.000 [-0.000, -0.000] |" in table


def test_several_models_are_compared_with_the_first_and_in_pairs(results):
    text = several_compared(results, "drum,mood", "piano,mood", "no singer,mood")
    titles = ("Minus m_0", "Minus m_0, by category", "ROC-AUC of every pair")
    assert "minus rest" not in text  # there are no tags of other categories
    places = [text.index(f"**{title}.**") for title in titles]
    assert places == sorted(places)
    assert len(pd.read_csv(written(results).csv)) == 10 * 2 * 2  # pairs, groups of tags, metrics
    assert "| model | m_0 | m_1 | m_2 | m_3 | m_4 |" in text
