import numpy as np
import pandas as pd
import pytest
import yaml

from autotagging import tables
from autotagging.architecture import padded_frames, window
from autotagging.tablefiles import to_markdown

FRONT_END = {
    "sample_rate": 12000,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 96,
    "seconds": 29.12,
    "frames": 1366,
}


def layer(name, type_name, shape, parameters=0):
    return {"name": name, "type": type_name, "output_shape": shape, "parameters": parameters}


def paper_model():
    """Build the rows of the paper's model as facts and Table 2 give them."""
    rows = [
        layer("log_mel", "InputLayer", [96, 1366]),
        layer("channel", "Reshape", [96, 1366, 1]),
        layer("pad", "ZeroPadding2D", [96, 1440, 1]),
    ]
    channels = 1
    sizes = ((64, [48, 720]), (128, [16, 240]), (128, [4, 60]), (128, [1, 15]))
    before = [96, 1440]
    for block, (filters, after) in enumerate(sizes, start=1):
        weights = (9 * channels + 1) * filters
        rows.append(layer(f"conv_{block}", "Conv2D", [*before, filters], weights))
        rows.append(layer(f"pool_{block}", "MaxPooling2D", [*after, filters]))
        before, channels = after, filters
    return [
        *rows,
        layer("sequence", "Reshape", [15, 128]),
        layer("gru_1", "GRU", [15, 32], 15552),
        layer("gru_2", "GRU", [32], 6336),
        layer("tags", "Dense", [50], 1650),
    ]


def metrics(seed, auc, *, accuracy=0.9, corpus="demo", split="random 183/14/42", **more):
    return {
        "model": "crnn",
        "seed": seed,
        "corpus": corpus,
        "split": split,
        "roc_auc_macro": auc,
        "roc_auc_micro": 0.99,
        "accuracy": accuracy,
        "loss": 0.25,
        "synonyms": "merge",
        "n_tags": 50,
        "n_tags_scored": 49,
        "baselines": {"all_zero": {"accuracy": 0.95}, "prior": {"accuracy": 0.94, "loss": 0.2}},
        "epochs": 20,
        "best_epoch": 12 + seed,
        **more,
    }


@pytest.fixture
def published(request):
    path = request.config.rootpath / "workflow/resources/published.yaml"
    return yaml.safe_load(path.read_text())


def test_table_1_agrees_with_the_paper_but_for_its_slip():
    table = tables.table_1(FRONT_END, padded_frames=1440).set_index("parameter")
    assert table["agrees"].tolist() == ["yes"] * 7 + ["no"]
    slip = table.loc["Mel-time matrix after zero padding"]
    assert (slip["paper"], slip["here"]) == ("1x96x1400", "1x96x1440")
    assert "1366 + 74 = 1440" in slip["remark"]


def test_table_1_shows_other_settings_as_they_are():
    table = tables.table_1({**FRONT_END, "hop_length": 128}, padded_frames=1440)
    row = table.set_index("parameter").loc["Hop size"]
    assert (row["paper"], row["here"], row["agrees"]) == ("256", "128", "no")


def test_padded_frames_of_the_paper():
    assert padded_frames(paper_model()) == 1440


def test_table_2_finds_all_rows_of_the_paper_in_its_model():
    table = tables.table_2(paper_model())
    paper = table[table["row"] != ""]
    assert len(paper) == 18
    assert (paper["agrees"] == "yes").all()
    assert paper["here"].tolist() == [
        "1x96x1440",
        *("64x3x3", "2x2", "64x48x720"),
        *("128x3x3", "3x3", "128x16x240"),
        *("128x3x3", "4x4", "128x4x60"),
        *("128x3x3", "4x4", "128x1x15"),
        *("15x128", "GRU(32)", "GRU(32)", "50", "50 different tags"),
    ]
    assert table.loc[table["row"] == "", "layer"].tolist() == ["log_mel", "channel"]
    assert table["parameters"].sum() == 393_202  # 393,906 of facts, less reset_after, batch norm


def test_table_2_says_where_a_model_differs():
    model = [row for row in paper_model() if row["name"] != "gru_2"]
    model[-1] = layer("tags", "Dense", [20], 660)
    table = tables.table_2(model)
    differing = table[table["agrees"] == "no"]
    assert differing["here"].tolist() == ["20", "20 different tags", "no such layer"]


def test_the_window_is_what_the_detail_says():
    rows = [layer("in", "InputLayer", [8, 8, 1]), layer("conv_1", "Conv2D", [8, 8, 2], 20)]
    assert window(rows, 1) == "3x3"
    rows[1]["detail"] = "1x9, same"
    assert window(rows, 1) == "1x9"


def test_table_4_averages_two_seeds(published):
    table = tables.table_4([metrics(0, 0.80), metrics(1, 0.90, accuracy=0.92)], published)
    row = table.iloc[0]
    assert row["source"] == "measured here"
    assert row["roc_auc"] == pytest.approx(0.85)
    assert row["roc_auc_std"] == pytest.approx(0.05 * 2**0.5)  # n - 1 in the denominator
    assert row["accuracy"] == pytest.approx(0.91)
    assert (row["accuracy_all_zero"], row["loss_prior"]) == (0.95, 0.2)
    assert (row["seeds"], row["epochs"], row["best_epoch"]) == (2, "20 of 100", "12; 13")
    assert row["tags"] == "50 merged, 49 scored"
    assert row["comparable_with_paper"] == "no"
    assert "synthetic demo corpus, not comparable" in row["note"]


def test_table_4_has_a_row_per_model_with_the_deviation_over_three_seeds(published):
    crnn = [metrics(seed, auc) for seed, auc in enumerate((0.84, 0.86, 0.91))]
    lookup = [metrics(seed, 0.1, accuracy=0.7, model="lookup") for seed in range(3)]
    for run in lookup:
        del run["epochs"], run["best_epoch"]
    table = tables.table_4([*crnn, *lookup], published)
    assert table["method"].tolist()[:3] == ["crnn", "lookup", "CRNN (the paper)"]
    assert table["seeds"].tolist()[:2] == [3, 3]
    assert table.loc[0, "roc_auc"] == pytest.approx(0.87)
    assert table.loc[0, "roc_auc_std"] == pytest.approx(0.0013**0.5)
    assert table.loc[1, ["roc_auc", "roc_auc_std", "accuracy_std"]].tolist() == [0.1, 0, 0]
    crnn_line, lookup_line = to_markdown(table).splitlines()[2:4]
    assert "| 0.870 ± 0.036 |" in crnn_line
    assert "| 0.100 ± 0 |" in lookup_line


def test_table_4_says_how_long_seeds_trained_that_stopped_apart(published):
    runs = [
        metrics(seed, 0.8, epochs=epochs, best_epoch=best)
        for seed, epochs, best in ((0, 61, 51), (1, 77, 67), (2, 61, 51))
    ]
    row = tables.table_4(runs, published).iloc[0]
    assert (row["epochs"], row["best_epoch"]) == ("61 - 77 of 100", "51; 67; 51")


def test_table_4_has_no_deviation_of_one_seed(published):
    table = tables.table_4([metrics(0, 0.8)], published)
    assert np.isnan(table.loc[0, "roc_auc_std"])
    assert "| 0.800 |" in to_markdown(table)


def test_table_4_cites_the_paper_and_newer_work(published):
    table = tables.table_4([metrics(0, 0.8)], published)
    cited = table[table["source"] == "cited"]
    assert len(table) == 1 + 7 + 7
    assert cited["roc_auc"].tolist() == [
        *(0.893, 0.894, 0.888, 0.882, 0.88, 0.898, 0.861),
        *(0.9005, 0.8722, 0.9106, 0.9058, 0.9077, 0.9127, 0.9129),
    ]
    assert cited["comparable_with_paper"].tolist() == ["yes"] + ["no"] * 13
    paper = cited.iloc[0]
    assert (paper["accuracy"], paper["accuracy_all_zero"]) == (0.94, 0.9463)
    assert (paper["loss"], paper["loss_prior"]) == (0.15, 0.192)
    multi_scale = cited.set_index("method").loc["Multi-scale approach"]
    assert multi_scale["year"] == 2013
    assert "ISMIR 2013" in multi_scale["citation"]


@pytest.mark.parametrize(
    ("corpus", "split", "comparable"),
    [
        ("magnatagatune", "random 19773/1521/4566", "yes"),
        ("magnatagatune", "folders 0-b/c/d-f", "no"),
        ("realmusic", "random 180/14/42", "no"),
    ],
)
def test_only_the_papers_corpus_and_split_are_comparable(published, corpus, split, comparable):
    table = tables.table_4(
        [metrics(0, 0.8, corpus=corpus, split=split, n_tags_scored=50)], published
    )
    assert table.loc[0, "comparable_with_paper"] == comparable
    assert (table.loc[0, "note"] == "") == (comparable == "yes")


def test_table_4_takes_untrained_models_and_undefined_numbers(published):
    lookup = metrics(0, None)
    for key in ("epochs", "best_epoch"):
        del lookup[key]
    table = tables.table_4([{**lookup, "model": "lookup"}, metrics(0, float("nan"))], published)
    assert table["method"].tolist()[:2] == ["lookup", "crnn"]
    assert table.loc[:1, "roc_auc"].isna().all()
    assert table.loc[0, "epochs"] == ""
    to_markdown(table)


def test_raw_tags_are_not_comparable_with_the_papers(published):
    run = metrics(0, 0.8, corpus="magnatagatune", split="random 19773/1521/4566", n_tags_scored=50)
    table = tables.table_4([{**run, "synonyms": "keep"}], published)
    assert table.loc[0, "tags"] == "50 raw"
    assert table.loc[0, "comparable_with_paper"] == "no"


def test_tag_distribution_counts_each_clip_once_after_merging():
    raw = pd.DataFrame(
        {
            "raw_tag": ["beat", "flute", "beats", "harp"],
            "count": [5, 7, 4, 0],
            "merged_into": ["beat", "flute", "beat", "harp"],
            "merged_count": [8, 7, 8, 0],
            "kept": [1, 1, 1, 0],
        }
    )
    assert tables.tag_distribution(raw).to_dict("list") == {
        "rank": [1, 2, 3],
        "tag": ["beat", "flute", "harp"],
        "clips_before": [5, 7, 0],
        "clips_after": [8, 7, 0],
        "kept": ["yes", "yes", "no"],
        "merged_from": ["beat, beats", "", ""],
    }
