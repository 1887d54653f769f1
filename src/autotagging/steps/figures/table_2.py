"""Table 2 of the paper (sec. II.C): shapes of the layers."""

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_model
from autotagging.reporting.tables.counts import whole
from autotagging.reporting.tables.files import save_table
from autotagging.reporting.tables.specification import table_2 as make_table
from autotagging.steps.figures import flags


def table_2(
    *,
    model_json: flags.ModelJson,
    table_files: flags.Table,
) -> None:
    """Table 2: layers."""
    model = read_model(model_json)
    caption = (
        f"Table 2. Layers of {model['model']} in the paper and as built, as channels x mel bins x "
        f"frames; {model['trainable_parameters']:,} trainable parameters. "
        f"{run_caption([model])}."
    )
    table = make_table(model["architecture"])
    counts = table["parameters"].map(whole, na_action="ignore")
    save_table(table, table_files, caption=caption, shown=table.assign(parameters=counts))
