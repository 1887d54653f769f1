"""Table 1 of the paper (sec. II.B): parameters of the front end."""

from autotagging.reporting.architecture import padded_frames
from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_model
from autotagging.reporting.tables.files import save_table
from autotagging.reporting.tables.specification import table_1 as make_table
from autotagging.steps.figures import flags


def table_1(
    *,
    model_json: flags.ModelJson,
    table_files: flags.Table,
) -> None:
    """Table 1: front end."""
    model = read_model(model_json)
    table = make_table(model["front_end"], padded_frames=padded_frames(model["architecture"]))
    caption = f"Table 1. Preprocessing parameters of the paper and here. {run_caption([model])}."
    save_table(table, table_files, caption=caption)
