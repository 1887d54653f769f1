import pandas as pd

from autotagging.metrics.settings import Bootstrap
from autotagging.steps.figures.differences import differences
from earlier_steps import RUN, seeds, write_run, written


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
    assert text.index("**Minus crnn.**") < text.index("| lookup |") < text.index("by category.**")
    assert "every pair" not in text.split("by category.**")[1]
    caption = output.md.read_text().splitlines()[0]
    assert "90 % confidence interval (20 resamples of the tracks)" in caption
