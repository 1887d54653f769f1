import json

import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.steps.figures.model_card import model_card
from earlier_steps import UNDEFINED, seeds


def cards(folder, *, corpus="demo", **of_model):
    """Write the cards of both seeds; return the front matter and the text of the first."""
    for name in ("metrics.json", "model.json"):
        for path in seeds(folder, name):
            added = {"tags": ["drum", "piano"], "trained_on": {"split_sha256": "ab"}}
            added |= {"weights_sha256": "cd" * 32, "corpus": corpus, **of_model}
            path.write_text(json.dumps(json.loads(path.read_text()) | added))
    (folder / "leakage.csv").write_text("level,share,clips_without_group\ntrack,0.957,0\n")
    outputs = [folder / f"crnn-seed-{seed}.md" for seed in (0, 1)]
    model_card(
        metrics=seeds(folder, "metrics.json"),
        model_json=seeds(folder, "model.json"),
        leakage=folder / "leakage.csv",
        cards=outputs,
        versions=folder / "versions.json",
    )
    assert "# autotagging: crnn, seed 1\n" in outputs[1].read_text()
    _, front, text = outputs[0].read_text().split("---\n", 2)
    return yaml.safe_load(front), " ".join(text.split())


def test_a_card_has_what_the_hub_reads(results):
    front, _ = cards(results)
    assert json.loads((results / "versions.json").read_text())["pyyaml"]
    assert front["license"] == "mit"
    assert front["pipeline_tag"] == "audio-classification"
    (model,) = front["model-index"]
    assert model["name"] == "autotagging-crnn-seed-0"
    (result,) = model["results"]
    assert result["dataset"]["config"] == "random 6/1/3"
    macro, *others = result["metrics"]
    limits = {"confidence": 0.95, "resampled": "artists", "low": 0.625, "high": 0.875}
    title = "ROC-AUC, mean over tags (macro)"
    assert macro == {"type": "roc_auc", "name": title, "value": 0.75, "args": limits}
    # The micro average is undefined, and there is no entry for it.
    assert [metric["type"] for metric in others] == ["average_precision", "loss", "accuracy"]


def test_a_card_names_the_file_of_a_split(results):
    front, text = cards(results, split="file a*b*.csv 6/1/3")
    (result,) = front["model-index"][0]["results"]
    assert result["dataset"]["config"] == "file a*b*.csv 6/1/3"
    assert r"(training/validation/test clips): file a\*b\*.csv 6/1/3." in text


def test_a_card_tells_scores_leakage_and_the_baseline(results):
    _, text = cards(results)
    assert "ROC-AUC, mean over tags (macro) | 0.750 | 0.625 to 0.875 | 0.625 |" in text
    assert "(micro) | – | – |" in text  # noqa: RUF001
    interval = "Interval: the 95 % confidence interval, bootstrap over 12 artists."
    assert f"{interval} {UNDEFINED}, and the mean leaves it out. | metric" in text
    assert "with a training clip: track 95.7 %." in text
    assert "This model's macro ROC-AUC is 0.125 higher." in text
    assert "scores say nothing about recorded music" in text
    assert "`split_sha256`" not in text
    assert "- split_sha256: `ab`" in text
    assert "Intended use" in text
    assert text.endswith("## Tags drum, piano")
    assert "Training started" not in text


def test_a_card_names_the_model_that_training_started_from(results):
    start = {"corpus": "Million Song Dataset", "layers": "all layers but the last"}
    _, text = cards(results, start_from=start)
    said = "started from weights (all layers but the last) of a model of Million Song Dataset. ##"
    assert said in text


def test_the_licence_is_that_of_the_corpus(results):
    front, text = cards(results, corpus="magnatagatune")
    assert front["license"] == "cc-by-nc-sa-3.0"
    assert front["datasets"] == ["magnatagatune"]
    assert "under the same terms: <https://creativecommons.org/licenses/by-nc-sa/3.0/>" in text
    assert "synthesised" not in text
    front, text = cards(results, corpus="magnatagatune (own files)")
    assert front["license"] == "cc-by-nc-sa-3.0"
    assert front["datasets"] == ["magnatagatune"]
    dataset = front["model-index"][0]["results"][0]["dataset"]
    assert (dataset["type"], dataset["name"]) == ("magnatagatune", "MagnaTagATune (own files)")
    front, text = cards(results, corpus="mine")
    assert front["license"] == "other"
    assert "The clips are from mine; ask its owner for the licence." in text


def test_tags_are_no_formatting(results):
    _, text = cards(results, tags=["*live*", "a<b"])
    assert text.endswith(r"## Tags \*live\*, a\<b")


def test_cards_in_another_order_than_the_metrics_are_an_error(results):
    cards(results)
    with pytest.raises(UserError, match=r"model\.json: not the model of"):
        model_card(
            metrics=seeds(results, "metrics.json"),
            model_json=seeds(results, "model.json")[::-1],
            leakage=results / "leakage.csv",
            cards=[results / "a.md", results / "b.md"],
            versions=results / "versions.json",
        )
