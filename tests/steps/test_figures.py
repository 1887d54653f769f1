"""Each figure and table as the command line makes it, from small files of the other steps."""

import base64
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from autotagging.common.errors import UserError
from autotagging.reporting import plots
from autotagging.reporting.tables.files import TableFiles
from autotagging.steps.figures import data as of_data
from autotagging.steps.figures import model as of_model
from autotagging.steps.figures import report
from autotagging.steps.figures import results as of_results
from conftest import write_shards

RATE = 16_000
FRONT_END = {
    "sample_rate": 12000,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 96,
    "seconds": 2.0,
    "frames": 94,
    "log_scale": "power_db",
}
ARCHITECTURE = [
    {"name": "log_mel", "type": "InputLayer", "output_shape": [96, 94], "parameters": 0},
    {"name": "channel", "type": "Reshape", "output_shape": [96, 94, 1], "parameters": 0},
    {"name": "pad", "type": "ZeroPadding2D", "output_shape": [96, 100, 1], "parameters": 0},
    {"name": "conv_1", "type": "Conv2D", "output_shape": [96, 100, 4], "parameters": 40},
    {"name": "tags", "type": "Dense", "output_shape": [3], "parameters": 15},
]
RUN = {"model": "crnn", "seed": 0, "corpus": "demo", "split": "random 6/1/3"}


@pytest.fixture
def results(tmp_path):
    """Write the files of the steps before, for a model with two seeds."""
    for seed in (0, 1):
        folder = tmp_path / f"seed-{seed}"
        folder.mkdir()
        write_run(folder, {**RUN, "seed": seed})
    (tmp_path / "tags.csv").write_text("tag,category,count,merged_from\ndrum,other,5,drum;drums\n")
    (tmp_path / "raw_tags.csv").write_text(
        "raw_tag,count,merged_into,kept\ndrum,3,drum,1\ndrums,4,drum,1\nhappy,1,happy,0\n"
    )
    write_corpus(tmp_path)
    write_mels(tmp_path)
    return tmp_path


def write_run(folder, run):
    model = {
        **run,
        "front_end": FRONT_END,
        "best_epoch": 2,
        "architecture": ARCHITECTURE,
        "trainable_parameters": 55,
    }
    scores = {
        "roc_auc_macro": 0.75,
        "roc_auc_micro": None,
        "pr_auc_macro": 0.5,
        "accuracy": 0.9,
        "loss": 0.3,
        "calibration_error": 0.1,
        "threshold": 0.5,
    }
    constant = {"roc_auc_macro": 0.5, "accuracy": 0.8}
    baselines = {"all_zero": constant, "prior": {**constant, "loss": 0.4}}
    baselines["lookup"] = {**constant, "roc_auc_macro": 0.625}
    limits = {"roc_auc_macro": {"low": 0.625, "high": 0.875}, "roc_auc_micro": None}
    limits |= {"resamples": 1000, "resamples_without_some_tag": 989}
    limits["gain_over_lookup"] = {"roc_auc_macro": {"low": -0.125, "high": 0.25}}
    metrics = {**run, **scores, "n_clips": 3, "n_tags": 3, "n_tags_scored": 2}
    metrics |= {"n_clips_with_tags": 3, "gains": {"over_lookup": {"roc_auc_macro": 0.125}}}
    metrics |= {"tags_not_scored": ["drum"], "confidence": 0.95, "intervals": {"tracks": limits}}
    metrics |= {"epochs": 2, "best_epoch": 2, "synonyms": "merge", "baselines": baselines}
    metrics["epoch_choices"] = {
        name: {"epoch": epoch, "roc_auc_macro": auc, "pr_auc_macro": 0.5, "loss": 0.3}
        for name, epoch, auc in (("best_on_validation", 2, 0.75), ("last", 2, 0.75))
    } | {"upper_bound_best_on_test": None}
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "history.csv").write_text(
        "epoch,loss,val_loss,auc,val_auc\n1,0.5,0.6,0.5,\n2,0.4,0.5,0.6,0.7\n"
    )
    (folder / "per_tag.csv").write_text(
        "tag,category,positives,share,roc_auc,roc_auc_tracks_low,roc_auc_tracks_high,pr_auc\n"
        "drum,instrument,3,1,,,,\npiano,instrument,1,0.3,0.25,0.125,0.5,0.4\n"
        "no singer,vocal,2,0.6,0.75,0.5,1,0.7\n"
    )
    minus_rest = "roc_auc_minus_rest"
    (folder / "per_category.csv").write_text(
        "category,tags,tags_scored,roc_auc,pr_auc,"
        f"{minus_rest},{minus_rest}_tracks_low,{minus_rest}_tracks_high\n"
        "mood,2,1,0.25,0.4,-0.5,-0.625,-0.25\nvocal,1,1,0.75,0.7,0.5,-0.125,0.75\n"
    )
    (folder / "per_epoch.csv").write_text(
        "epoch,roc_auc_macro,best,last,oracle\n1,0.5,0,0,0\n2,0.75,1,1,1\n"
    )
    (folder / "calibration.csv").write_text(
        "low,high,decisions,mean_score,share\n0,0.5,4,0.2,0\n0.5,1,5,0.9,0.6\n"
    )
    (folder / "roc.csv").write_text("fpr,macro,micro\n0,0,0\n0.5,0.9,0.9\n1,1,1\n")
    np.savez(
        folder / "predictions.npz",
        clip_id=np.array([7, 8, 9]),
        track=np.array([1, 1, 2]),
        scores=np.array([[0.9, 0.1, 0.2], [0.9, 0.9, 0.2], [0.9, 0.9, 0.9]], np.float32),
        labels=np.array([[1, 0, 0]] * 3, np.uint8),
        tags=np.array(["drum", "piano", "no singer"]),
    )


def write_corpus(folder):
    """Write an unreadable clip 4 and a readable clip 5, both test clips."""
    audio = folder / "corpus" / "a"
    audio.mkdir(parents=True)
    (audio / "bad.mp3").write_bytes(b"")
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    soundfile.write(audio / "good.mp3", 0.5 * tone, RATE)
    (folder / "split.csv").write_text(
        "clip_id,mp3_path,subset\n5,a/good.mp3,test\n4,a/bad.mp3,test\n6,a/none.mp3,train\n"
    )


def write_mels(folder):
    """Write labels of four clips and the spectrograms of three; that of clip 6 is bad."""
    (folder / "labels.csv").write_text(
        "clip_id,mp3_path,drum,flute,harp\n4,a,1,0,0\n5,b,1,1,0\n6,c,1,0,1\n7,d,1,0,0\n"
    )
    (folder / "front_end.json").write_text(json.dumps(FRONT_END))
    write_shards(folder, {4: np.full((96, 94), -10), 5: np.full((96, 94), -20), 6: None})


def mel_inputs(folder):
    names = {"labels": "labels.csv", "summary": "summary.csv", "front_end": "front_end.json"}
    return {flag: folder / name for flag, name in names.items()}


def drawn(folder):
    return plots.FigureFiles(folder / "figures/out.svg", folder / "figures/out.png")


def written(folder):
    suffixes = ("csv", "md", "html", "tex")
    return TableFiles(*(folder / f"tables/out.{suffix}" for suffix in suffixes))


def seeds(folder, name):
    return [folder / "seed-0" / name, folder / "seed-1" / name]


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def published(request):
    return request.config.rootpath / "workflow/resources/published.yaml"


def test_figures_write_svg_and_png_and_leave_nothing_else(results, published):
    model = {"model_json": results / "seed-0/model.json"}
    models = {
        "history": seeds(results, "history.csv"),
        "model_json": seeds(results, "model.json"),
    }
    clip = {
        "predictions": results / "seed-0/predictions.npz",
        "metrics": results / "seed-0/metrics.json",
    }
    scores = {
        "per_epoch": seeds(results, "per_epoch.csv"),
        "roc": seeds(results, "roc.csv"),
        "metrics": seeds(results, "metrics.json"),
        "published": published,
    }
    audio = {"download": results / "corpus", "split": results / "split.csv"}
    tags = {"tags": results / "tags.csv", "raw_tags": results / "raw_tags.csv", "corpus": "demo"}
    sheet = {**mel_inputs(results), "clips_per_tag": 4, "corpus": "demo"}
    for figure, inputs in (
        (of_data.figure_2, tags),
        (of_data.mel_examples, sheet),
        (of_data.figure_3, {**audio, **model}),
        (of_model.figure_4, model),
        (of_model.figure_5, models),
        (of_results.figure_6, clip),
        (of_model.figure_7, {**models, **scores}),
        (
            of_results.calibration,
            {"calibration": seeds(results, "calibration.csv"), "metrics": scores["metrics"]},
        ),
    ):
        output = drawn(results / figure.__name__)
        figure(**inputs, figure_files=output)
        assert files_in(output.svg.parent) == ["out.png", "out.svg"], figure.__name__
        assert output.png.read_bytes().startswith(b"\x89PNG")
        content = output.svg.read_text()
        assert "<svg" in content
        assert str(results) not in content


def test_mel_examples_draws_what_extract_mel_left_of_each_tag(results, monkeypatch):
    drawings = []
    monkeypatch.setattr(plots, "mel_examples", lambda *args, **more: drawings.append((*args, more)))
    monkeypatch.setattr(plots, "save_figure", lambda *args: None)
    of_data.mel_examples(
        **mel_inputs(results), clips_per_tag=2, corpus="magnatagatune", figure_files=drawn(results)
    )
    ((counts, examples, mels, more),) = drawings
    assert counts.to_dict() == {"drum": 4, "flute": 1, "harp": 1}
    assert examples.to_numpy().tolist() == [["drum", 4], ["drum", 5], ["flute", 5]]
    assert mels[:, 0, 0].tolist() == [-10, -20, -20]
    assert more == {"seconds": 2.0, "log_scale": "power_db", "caption": "MagnaTagATune, all clips"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labels.csv", "clip,drum\n4,1\n", r"labels\.csv: no column 'clip_id'"),
        ("labels.csv", "clip_id,mp3_path,drum\n6,c,1\n", "no clip with a tag in"),
        ("summary.csv", "", r"summary\.csv: can't be read as a table"),
        ("summary.csv", "clips\n3\n", r"summary\.csv: no column 'shard'"),
        ("shard-00.npy", "nonsense", r"shard-00\.npy: not a readable shard"),
        ("front_end.json", "{}", r"front_end\.json: no entry 'sample_rate'"),
    ],
)
def test_a_wrong_file_of_mel_examples_is_named(results, name, content, message):
    (results / name).write_text(content)
    with pytest.raises(UserError, match=message):
        of_data.mel_examples(
            **mel_inputs(results), clips_per_tag=4, corpus="demo", figure_files=drawn(results)
        )
    assert not (results / "figures").exists()


def test_table_1_comes_from_the_model(results):
    output = written(results)
    of_model.table_1(model_json=results / "seed-0/model.json", table_files=output)
    table = pd.read_csv(output.csv).set_index("parameter")
    assert table.loc["Mel-time matrix after zero padding", "here"] == "1x96x100"
    assert table.loc["Frames added in zero padding", "here"] == "6"


def test_table_2_states_the_number_of_parameters(results):
    output = written(results)
    of_model.table_2(model_json=results / "seed-0/model.json", table_files=output)
    assert "55 trainable parameters" in output.md.read_text().splitlines()[0]
    assert "| 4x3x3 | no | conv_1 |" in output.md.read_text()


def test_table_4_says_that_the_demo_is_not_comparable(results, published):
    output = written(results)
    of_results.table_4(
        metrics=seeds(results, "metrics.json"), published=published, table_files=output
    )
    assert "not comparable with MagnaTagATune" in output.md.read_text()
    table = pd.read_csv(output.csv)
    assert len(table) == 1 + 3 + 14
    assert table.loc[0, ["seeds", "roc_auc", "roc_auc_std"]].tolist() == [2, 0.75, 0]
    assert table.loc[0, ["roc_auc_low", "roc_auc_high"]].tolist() == [0.625, 0.875]
    others = ["lookup", "each tag's share in training", "“no” to every tag"]
    assert table["method"].tolist()[1:4] == others
    assert table["epochs"].fillna("").tolist()[:5] == ["2 of 100", "", "", "", "100"]
    text = output.md.read_text()
    assert text.index("**Measured here.**") < text.index("| crnn |") < text.index("**Cited.**")
    assert "| FCN | 2020 | 0.9005 |" in text
    assert "| Short-chunk CNN + Res | 2020 | 0.9129 |" in text
    assert "| crnn | 0.750 ± 0 [0.625, 0.875] |" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_tables_of_scores_say_what_the_brackets_are(results):
    metrics = {"metrics": seeds(results, "metrics.json")}
    shown = {}
    for make, inputs in (
        (of_results.tag_scores, {"per_tag": seeds(results, "per_tag.csv")}),
        (of_results.category_scores, {"per_category": seeds(results, "per_category.csv")}),
        (of_results.all_metrics, {}),
    ):
        files = {"figure_files": drawn(results)} if inputs else {}
        make(**metrics, **inputs, **files, table_files=written(results))
        shown[make.__name__] = written(results).md.read_text().replace("\N{NO-BREAK SPACE}", " ")
        caption = shown[make.__name__].splitlines()[0]
        assert (
            "In brackets: interval of 95 %, by the bootstrap over tracks; of several seeds, the "
            "mean of their limits. In 989 of 1,000 resamples some tag was on none, or all, of the "
            "clips"
        ) in caption
        assert caption.endswith("split random 6/1/3; crnn, seeds 0, 1; 3 test clips.")
    assert files_in(results / "figures") == ["out.png", "out.svg"]
    tags, categories, every = shown.values()
    assert "| drum | instrument | 3 |  |" in tags
    assert "| piano | instrument | 1 | 0.250 ± 0 [0.125, 0.500] |" in tags
    assert (
        "| mood | 2 | 1 | 0.250 ± 0 | 0.400 ± 0 | -0.500 ± 0 [-0.625, -0.250] | yes |" in categories
    )
    assert "Means over tags are over 2 of 3 for crnn: all test clips, or none, have drum." in every
    assert (
        "| ROC-AUC, mean over tags (macro) |  | 0.750 ± 0 [0.625, 0.875] | 0.625 | 0.500 |" in every
    )


def test_models_of_other_test_clips_say_so(results):
    path = results / "seed-1/metrics.json"
    other = {**json.loads(path.read_text()), "model": "lookup", "n_clips": 4}
    path.write_text(json.dumps(other))
    of_results.all_metrics(metrics=seeds(results, "metrics.json"), table_files=written(results))
    caption = written(results).md.read_text().splitlines()[0]
    assert caption.endswith("test clips whose audio can be read: 3 of crnn, 4 of lookup.")


def test_the_best_and_the_last_epoch_stand_beside_each_other(results):
    of_model.epoch_choices(metrics=seeds(results, "metrics.json"), table_files=written(results))
    table = pd.read_csv(written(results).csv)
    assert table["epoch"].tolist() == [2] * 4
    assert "the paper doesn't say which it used" in written(results).md.read_text()


def test_differences_compares_models_tag_by_category(results):
    other = results / "lookup"
    other.mkdir()
    write_run(other, {**RUN, "model": "lookup"})
    (results / "tags.csv").write_text(
        "tag,category\ndrum,instrument\npiano,instrument\nno singer,vocal\n"
    )
    output = written(results)
    of_results.differences(
        predictions=[*seeds(results, "predictions.npz"), other / "predictions.npz"],
        metrics=[*seeds(results, "metrics.json"), other / "metrics.json"],
        tags=results / "tags.csv",
        **{"resamples": 20, "confidence": 0.9, "bootstrap_seed": 0, "table_files": output},
    )
    table = pd.read_csv(output.csv)
    assert table["tags"].unique().tolist() == ["all", "instrument", "vocal"]
    assert set(table["second"]) == {"lookup"}
    caption = output.md.read_text().splitlines()[0]
    assert "interval of 90 % (20 resamples of the tracks" in caption


def test_figure_6_takes_the_clip_of_median_accuracy_or_the_one_asked_for(results, monkeypatch):
    shown = []
    draw = plots.figure_6
    monkeypatch.setattr(
        plots,
        "figure_6",
        lambda *args, clip_id, **more: (
            shown.append(clip_id) or draw(*args, clip_id=clip_id, **more)
        ),
    )
    inputs = {
        "predictions": results / "seed-0/predictions.npz",
        "metrics": results / "seed-0/metrics.json",
    }
    of_results.figure_6(**inputs, figure_files=drawn(results))
    of_results.figure_6(**inputs, clip_id=9, figure_files=drawn(results))
    assert shown == [8, 9]


def summary_inputs(folder, published):
    """Results of both seeds, of which clips 5, 4 and 6 were tested."""
    first = folder / "seed-0"
    arrays = dict(np.load(first / "predictions.npz"))
    np.savez(first / "predictions.npz", **{**arrays, "clip_id": np.array([5, 4, 6])})
    (folder / "leakage.csv").write_text("level,share\ntrack,0.5\nalbum,0.957\n")
    for number in (5, 7):
        (folder / f"figure_{number}.svg").write_text(f"<svg>{number}</svg>")
    return {
        "metrics": seeds(folder, "metrics.json"),
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
    """Write the first page of the report; return its text and the headline numbers."""
    output = {suffix: folder / "figures" / f"summary.{suffix}" for suffix in ("html", "json")}
    report.summary(**inputs, **output)
    return output["html"].read_text(), json.loads(output["json"].read_text())


def test_the_summary_shows_numbers_figures_and_clips_that_play(results, published):
    inputs = summary_inputs(results, published)
    page, headline = summarised(results, **inputs)
    assert headline["crnn"]["roc_auc_macro"] == 0.75
    for shown in ("0.750 ± 0", "0.893", "cited: MagnaTagATune; not comparable", "95.7 %"):
        assert shown in page
    text = " ".join(page.split())
    for shown in ("[0.625, 0.875]", "<strong>+0.250</strong> against chance, which is 0.5"):
        assert shown in text
    assert "the last epoch (2) gives 0.750. The paper doesn" in text
    assert "upper bound" not in text  # not all epochs were kept
    assert "It scores <strong>0.625</strong>" in text
    assert "<strong>+0.125</strong> [−0.125, +0.250]" in text  # noqa: RUF001
    assert "−0.500 against all other tags [−0.625, −0.250]: worse than" in text  # noqa: RUF001
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
    assert summarised(results, **inputs)[0] == page


def test_the_summary_does_without_audio_and_without_networks(results, published):
    inputs = summary_inputs(results, published)
    shutil.rmtree(results / "corpus")
    for path in inputs["metrics"]:
        metrics = json.loads(path.read_text())
        del metrics["epochs"], metrics["best_epoch"]
        path.write_text(json.dumps({**metrics, "corpus": "magnatagatune"}))
    page, _ = summarised(results, **{**inputs, "figure_5": None})
    assert "<audio" not in page
    assert page.count("the audio of the corpus is not there") == 3
    assert "CC BY-NC-SA 3.0" in page
    assert "the same for every clip" in page
    assert str(results) not in page


def test_what_a_user_can_get_wrong_is_named(results, published):
    model = results / "seed-0/model.json"
    clip = {
        "predictions": results / "seed-0/predictions.npz",
        "metrics": results / "seed-0/metrics.json",
    }
    with pytest.raises(UserError, match=r"clip 12 is not a test clip"):
        of_results.figure_6(**clip, clip_id=12, figure_files=drawn(results))
    with pytest.raises(UserError, match=r"2 files of history, 1 of model_json"):
        of_model.figure_5(
            history=seeds(results, "history.csv"), model_json=[model], figure_files=drawn(results)
        )
    audio = {"download": results / "corpus", "split": results / "split.csv", "model_json": model}
    with pytest.raises(UserError, match=r"clip 4 \(empty\)"):
        of_data.figure_3(**audio, clip_id=4, figure_files=drawn(results))
    content = json.loads(model.read_text())
    del content["front_end"]["n_mels"]
    model.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"model\.json: front_end has no 'n_mels'"):
        of_model.table_1(model_json=model, table_files=written(results))
    rows = results / "published.yaml"
    rows.write_text("- {method: FCN}\n")
    with pytest.raises(UserError, match=r"published\.yaml: row 1 has no 'year'"):
        of_results.table_4(
            metrics=[results / "seed-0/metrics.json"], published=rows, table_files=written(results)
        )
    assert not (results / "figures").exists()
    assert not (results / "tables").exists()


def run_command(*arguments):
    """Run a command in a process of its own, which must not load TensorFlow."""
    script = (
        "import sys\nfrom autotagging.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=True,
    )


def test_importing_the_figures_loads_nothing_slow():
    script = (
        "import sys\n"
        "from autotagging.steps.figures import data, model, report, results\n"
        "assert not {'tensorflow', 'keras', 'librosa', 'sklearn'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_command_line_takes_lists_and_never_loads_tensorflow(results):
    output = drawn(results)
    history, models = seeds(results, "history.csv"), seeds(results, "model.json")
    flags = ["--history", *history, "--model-json", *models]
    flags += ["--svg", output.svg, "--png", output.png]
    run_command("figures", "figure_5", *flags)
    assert files_in(output.svg.parent) == ["out.png", "out.svg"]


def test_figure_7_of_models_without_epochs_needs_no_history(results, published):
    output = drawn(results)
    flags = ["--history", "--model-json", "--published", published]
    for name in ("per_epoch.csv", "roc.csv", "metrics.json"):
        flags += [f"--{name.split('.')[0].replace('_', '-')}", *seeds(results, name)]
    flags += ["--svg", output.svg, "--png", output.png]
    run_command("figures", "figure_7", *flags)
    assert files_in(output.svg.parent) == ["out.png", "out.svg"]


def test_the_command_line_takes_spectrograms_and_never_loads_tensorflow(results):
    flags = ["--clips-per-tag", 2, "--corpus", "demo"]
    for name, path in {**mel_inputs(results), **vars(drawn(results))}.items():
        flags += [f"--{name.replace('_', '-')}", path]
    run_command("figures", "mel_examples", *flags)
    assert files_in(results / "figures") == ["out.png", "out.svg"]
