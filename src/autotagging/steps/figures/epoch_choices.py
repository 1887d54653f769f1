"""Results at each epoch that a published number may come from (sec. III)."""

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_metrics
from autotagging.reporting.tables.epochs import epoch_choices as make_table
from autotagging.reporting.tables.files import save_table
from autotagging.steps.figures import flags


def epoch_choices(*, metrics: flags.Metrics, table_files: flags.Table) -> None:
    """Choice of the epoch."""
    results = [read_metrics(path) for path in metrics]
    caption = (
        "Results on the test clips at each epoch that a published number may come from; the paper "
        f"doesn't say which epoch it used. {run_caption(results)}."
    )
    notes = "The epoch that is best on test is known if all epochs are kept (train.keep_epochs)."
    save_table(make_table(results), table_files, caption=caption, notes=notes)
