from autotagging.reporting.plots.architecture import figure_4, group_blocks
from figures import CAPTION, texts


def layer(name, type_name, shape, parameters=0, **more):
    return {
        "name": name,
        "type": type_name,
        "output_shape": shape,
        "parameters": parameters,
        **more,
    }


SMALL_MODEL = [
    layer("log_mel", "InputLayer", [8, 12]),
    layer("channel", "Reshape", [8, 12, 1]),
    layer("pad", "ZeroPadding2D", [8, 16, 1]),
    layer("conv_1", "Conv2D", [8, 16, 4], 40),
    layer("norm_1", "BatchNormalization", [8, 16, 4], 16, trainable_parameters=8),
    layer("pool_1", "MaxPooling2D", [1, 2, 4]),
    layer("sequence", "Reshape", [2, 4]),
    layer("gru_1", "GRU", [2, 3], 81),
    layer("gru_2", "GRU", [3], 72),
    layer("dropout", "Dropout", [3]),
    layer("tags", "Dense", [5], 20),
]
EXAMPLES = {
    "figure_4": lambda: figure_4(SMALL_MODEL, caption=CAPTION),
}


def test_figure_4_groups_layers_by_their_number():
    blocks = group_blocks(SMALL_MODEL)
    assert [(block.title, block.output_shape, block.parameters) for block in blocks] == [
        ("Input", (8, 16, 1), 0),
        ("Convolution 1", (1, 2, 4), 48),
        ("Reshape", (2, 4), 0),
        ("Recurrent 1", (2, 3), 81),
        ("Recurrent 2", (3,), 72),
        ("Output", (5,), 20),
    ]
    assert blocks[1].layers == ("conv 3x3", "batch norm", "max pool 8x8")
    assert blocks[-1].layers == ("dropout", "dense")


def test_figure_4_draws_a_model_it_has_never_heard_of():
    figure = figure_4([layer("a", "Attention", [3, 4], 7), layer("b", "Novel", [2])])
    assert "7 parameters" in [text.get_text() for text in texts(figure)]
