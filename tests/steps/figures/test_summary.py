import base64
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from autotagging.steps.figures.summary import summary
from browser import CHROMIUM, open_browser
from earlier_steps import seeds


def summary_inputs(folder, published):
    """Results of both seeds, of which clips 5, 4 and 6 were tested."""
    first = folder / "seed-0"
    arrays = dict(np.load(first / "predictions.npz"))
    np.savez(first / "predictions.npz", **{**arrays, "clip_id": np.array([5, 4, 6])})
    leakage = "level,share,clips_without_group\ntrack,0.5,0\nalbum,0.957,412\n"
    (folder / "leakage.csv").write_text(leakage)
    for number in (5, 7):
        (folder / f"figure_{number}.svg").write_text(f"<svg>{number}</svg>")
    return {
        "metrics": seeds(folder, "metrics.json"),
        "model_json": seeds(folder, "model.json"),
        "per_tag": first / "per_tag.csv",
        "per_category": first / "per_category.csv",
        "predictions": first / "predictions.npz",
        "split": folder / "split.csv",
        "leakage": folder / "leakage.csv",
        "download": folder / "corpus",
        "published": published,
        "figure_5": folder / "figure_5.svg",
        "figure_7": folder / "figure_7.svg",
    }


def summarised(folder, **inputs):
    """Write the first page of the report; return its text and the numbers for DVC."""
    output = {suffix: folder / "figures" / f"summary.{suffix}" for suffix in ("html", "json")}
    summary(**inputs, **output, versions=folder / "figures/versions.json")
    return output["html"].read_text(), json.loads(output["json"].read_text())


def test_the_summary_shows_numbers_figures_and_clips_that_play(results, published):
    inputs = summary_inputs(results, published)
    page, headline = summarised(results, **inputs)
    assert headline["crnn"]["roc_auc_macro"] == 0.75
    for shown in ("0.750 ± 0", "0.893", "cited: MagnaTagATune; not comparable", "95.7 %"):
        assert shown in page
    text = " ".join(page.split())
    for shown in ("[0.625, 0.875]", "<strong>+0.250</strong> compared with chance, which is 0.5"):
        assert shown in text
    assert "the last epoch (2) gives 0.750. The paper doesn" in text
    assert "upper bound" not in text  # not all epochs were kept
    assert "it reaches <strong>0.625</strong>" in text
    assert "<strong>+0.125</strong> [−0.125, +0.250]" in text  # noqa: RUF001
    assert '<td class="number">95.7 %</td> <td class="number">412</td>' in text
    assert "they count as sharing none, so the true shares may be higher." in text
    moods = (
        "is 0.250, −0.500 [−0.625, −0.250] compared with all other tags, which also depends on how "  # noqa: RUF001
        "hard the tags are. The gain over lookup is +0.125 [−0.125, +0.250] on the mood tags, and "  # noqa: RUF001
        "+0.375 [+0.250, +0.500] compared with the gain on all other tags: larger than on the "
        "others."
    )
    assert moods in text
    assert "Differences between models" not in text
    for svg in (b"<svg>5</svg>", b"<svg>7</svg>"):
        assert base64.b64encode(svg).decode() in page
    # Clip 5 ranks drum first, 4 as high as one other tag, 6 as high as both.
    assert page.count("<section") == 3
    good = (results / "corpus/a/good.mp3").read_bytes()
    assert page.count("<audio") == 1
    assert base64.b64encode(good).decode() in page
    assert "Can't be played: empty." in page.replace("&#39;", "'")
    assert "synthesised by this project" in page
    assert str(results) not in page
    assert "CRNN (crnn)</th>" in page
    for shown in ("0.893", "0.94", "0.15"):  # of the paper, with its digits
        assert (
            f'<td class="number">{shown} </td>' in text
            or f'<td class="number">{shown}</td>' in text
        )
    assert '<td class="number">55</td><td class="number">2.5</td>' in page
    assert summarised(results, **inputs)[0] == page


def test_a_clip_of_another_format_than_mp3_plays_as_such(results, published):
    inputs = summary_inputs(results, published)
    (results / "corpus/a/good.mp3").rename(results / "corpus/a/good.flac")
    split = results / "split.csv"
    split.write_text(split.read_text().replace("good.mp3", "good.flac"))
    page, _ = summarised(results, **inputs)
    assert page.count('src="data:audio/flac;base64,') == 1


def test_the_cost_is_shown_where_several_models_read_audio(results, published):
    inputs = summary_inputs(results, published)
    (results / "cost.svg").write_text("<svg>cost</svg>")
    shown = base64.b64encode(b"<svg>cost</svg>").decode()
    page, _ = summarised(results, **inputs, cost=results / "cost.svg")
    assert shown not in page
    for name in ("metrics.json", "model.json"):
        content = json.loads((results / "seed-1" / name).read_text())
        (results / "seed-1" / name).write_text(json.dumps({**content, "model": "fcn4"}))
    page, _ = summarised(results, **inputs, cost=results / "cost.svg")
    text = " ".join(page.split())
    assert shown in page
    assert "crnn, seed 0: 2 epochs (the paper: 100), best epoch 2. 1 more model reads" in text
    assert "fcn4, seed" not in page
    assert "Differences between models" not in page  # it does not have lookup


def test_the_table_of_differences_is_named_where_it_has_lookup(results, published):
    inputs = summary_inputs(results, published)
    for name in ("metrics.json", "model.json"):
        content = json.loads((results / "seed-1" / name).read_text())
        (results / "seed-1" / name).write_text(json.dumps({**content, "model": "lookup"}))
    page, _ = summarised(results, **inputs)
    assert "“Differences between models” compares each category with lookup." in page


def test_the_summary_of_one_artist_has_numbers_without_limits(results, published):
    inputs = summary_inputs(results, published)
    for path in inputs["metrics"]:
        metrics = json.loads(path.read_text())
        limits = {"roc_auc_macro": None, "gain_over_lookup": {"roc_auc_macro": None}, "groups": 1}
        metrics["intervals"]["artists"] |= limits
        path.write_text(json.dumps(metrics))
    table = pd.read_csv(inputs["per_category"])
    table[table.filter(regex="_low$|_high$").columns] = float("nan")
    table.to_csv(inputs["per_category"], index=False)
    text = " ".join(summarised(results, **inputs)[0].split())
    assert "No intervals: all test clips are of one artist." in text
    assert "from it, on the same clips, is <strong>+0.125</strong>.</p>" in text
    assert "and +0.375 compared with the gain on all other tags." in text


def test_the_summary_does_without_audio_and_without_networks(results, published):
    inputs = summary_inputs(results, published)
    shutil.rmtree(results / "corpus")
    for path in inputs["metrics"]:
        metrics = json.loads(path.read_text())
        del metrics["epochs"], metrics["best_epoch"]
        path.write_text(json.dumps({**metrics, "corpus": "magnatagatune"}))
    for path in inputs["model_json"]:
        model = json.loads(path.read_text())
        del model["front_end"]
        path.write_text(json.dumps(model))
    page, _ = summarised(results, **{**inputs, "figure_5": None})
    assert "<audio" not in page
    assert page.count("the audio of the corpus is missing") == 3
    assert "CC BY-NC-SA 3.0" in page
    assert "the same for every clip" in page
    assert "from its audio" not in page
    assert str(results) not in page


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_the_summary_fits_a_phone_and_prints_its_bars(results, published, tmp_path_factory):
    summarised(results, **summary_inputs(results, published))
    with open_browser(tmp_path_factory.mktemp("profile"), width=320) as page:
        page.open(results / "figures/summary.html")
        root = "document.documentElement"
        assert page.run(f"{root}.scrollWidth") == page.run(f"{root}.clientWidth")
        outside = "[...document.querySelectorAll('table')].filter(each => !each.closest('.scroll'))"
        assert page.run(f"{outside}.length") == 0
        page.call("Emulation.setEmulatedMedia", media="print")
        for shown in ("bar", "track", "tick"):
            style = f"getComputedStyle(document.querySelector('.{shown}'))"
            assert page.run(f"{style}.printColorAdjust") == "exact"
        assert (
            page.run("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
        )
