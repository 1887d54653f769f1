from autotagging.reporting.architecture import window


def test_the_window_is_what_the_detail_says():
    rows = [
        {"name": "in", "type": "InputLayer", "output_shape": [8, 8, 1], "parameters": 0},
        {"name": "conv_1", "type": "Conv2D", "output_shape": [8, 8, 2], "parameters": 20},
    ]
    assert window(rows, 1) == "3x3"
    rows[1]["detail"] = "1x9, same"
    assert window(rows, 1) == "1x9"
