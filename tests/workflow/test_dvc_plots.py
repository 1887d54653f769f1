"""What `dvc metrics` and `dvc plots` show of a tiny run."""

import json

import pandas as pd
import pytest
import yaml

from browser import CHROMIUM, open_browser

pytestmark = pytest.mark.xdist_group("tiny_run")


@pytest.fixture(scope="module")
def described(tiny_run):
    """Metrics and plots of dvc.yaml, with the parameters filled in."""
    params = yaml.safe_load((tiny_run.folder / "params.yaml").read_text())
    text = (tiny_run.folder / "dvc.yaml").read_text()
    text = text.replace("${models[0]}", params["models"][0])
    text = text.replace("${train.seeds[0]}", str(params["train"]["seeds"][0]))
    return yaml.safe_load(text)


def test_every_plot_finds_its_columns(tiny_run, described):
    plots = {name: plot for each in described["plots"] for name, plot in each.items()}
    assert len(plots) == 4
    for name, plot in plots.items():
        assert plot["x_label"]
        assert plot["y_label"]
        for path, wanted in plot["y"].items():
            columns = [wanted] if isinstance(wanted, str) else list(wanted)
            columns.append(plot["x"] if isinstance(plot["x"], str) else plot["x"][path])
            table = pd.read_csv(tiny_run.folder / path)
            assert set(columns) <= set(table.columns), name
        if "template" in plot:
            assert (tiny_run.folder / f".dvc/plots/{plot['template']}.json").is_file()


def test_metrics_are_those_of_every_model_and_audio_blind_baseline(tiny_run, described):
    (path,) = described["metrics"]
    headline = json.loads((tiny_run.folder / path).read_text())
    assert list(headline) == ["crnn", "lookup", "all_zero", "prior"]
    shown = json.loads(tiny_run.run("dvc metrics show --json").splitlines()[-1])
    numbers = {
        name: {metric: value for metric, value in values.items() if value is not None}
        for name, values in headline.items()
    }
    assert shown[""]["data"][path]["data"] == numbers  # undefined ones are left out


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_plots_are_drawn_without_a_network(tiny_run, tmp_path):
    tiny_run.run("autotagging plots_template --out .dvc/tmp/plots.html")
    tiny_run.run(f"dvc plots show --html-template .dvc/tmp/plots.html --out {tmp_path}")
    with open_browser(tmp_path / "profile") as page:
        page.open(tmp_path / "index.html")
        page.wait("document.querySelectorAll('.vega-embed canvas').length === 4")
        assert page.run("[...document.querySelectorAll('canvas')].every(plot => plot.width > 200)")
        page.screenshot(tmp_path / "plots.png")
        assert page.errors == []
        assert page.requests == []
