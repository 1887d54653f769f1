"""Fig. 4 of the paper (sec. II.C): the layers of the model."""

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_model
from autotagging.reporting.plots.architecture import figure_4 as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def figure_4(*, model_json: flags.ModelJson, figure_files: flags.Figure) -> None:
    """Fig. 4: architecture."""
    model = read_model(model_json)
    caption = (
        f"{model['trainable_parameters']:,} trainable parameters; shapes are mel bins x frames x "
        f"channels. {run_caption([model])}"
    )
    save_figure(draw(model["architecture"], caption=caption), figure_files)
