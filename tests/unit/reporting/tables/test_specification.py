from autotagging.reporting.architecture import padded_frames
from autotagging.reporting.tables.specification import table_1, table_2

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


def test_table_1_agrees_with_the_paper_but_for_its_slip():
    table = table_1(FRONT_END, padded_frames=1440).set_index("parameter")
    assert table["agrees"].tolist() == ["yes"] * 7 + ["no"]
    slip = table.loc["Mel-time matrix after zero padding"]
    assert (slip["paper"], slip["here"]) == ("1x96x1400", "1x96x1440")
    assert "1366 + 74 = 1440" in slip["remark"]


def test_table_1_shows_other_settings_as_they_are():
    table = table_1({**FRONT_END, "hop_length": 128}, padded_frames=1440)
    row = table.set_index("parameter").loc["Hop size"]
    assert (row["paper"], row["here"], row["agrees"]) == ("256", "128", "no")


def test_padded_frames_of_the_paper():
    assert padded_frames(paper_model()) == 1440


def test_table_2_finds_all_rows_of_the_paper_in_its_model():
    table = table_2(paper_model())
    paper = table[table["row"] != ""]
    assert len(paper) == 18
    assert (paper["agrees"] == "yes").all()
    assert paper["here"].tolist() == [
        "1x96x1440",
        "64x3x3",
        "2x2",
        "64x48x720",
        "128x3x3",
        "3x3",
        "128x16x240",
        "128x3x3",
        "4x4",
        "128x4x60",
        "128x3x3",
        "4x4",
        "128x1x15",
        "15x128",
        "GRU(32)",
        "GRU(32)",
        "50",
        "50 different tags",
    ]
    assert table.loc[table["row"] == "", "layer"].tolist() == ["log_mel", "channel"]
    assert table["parameters"].sum() == 393_202  # 393,906 of facts, less reset_after, batch norm


def test_table_2_says_where_a_model_differs():
    model = [row for row in paper_model() if row["name"] != "gru_2"]
    model[-1] = layer("tags", "Dense", [20], 660)
    table = table_2(model)
    differing = table[table["agrees"] == "no"]
    assert differing["here"].tolist() == ["20", "20 different tags", "no such layer"]
