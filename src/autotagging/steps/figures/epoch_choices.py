"""What the number of a training depends on: the epoch it is taken from (sec. III)."""

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_metrics
from autotagging.reporting.tables.epochs import epoch_choices as make_table
from autotagging.reporting.tables.files import save_table
from autotagging.steps.figures import flags


def epoch_choices(*, metrics: flags.Metrics, table_files: flags.Table) -> None:
    """Choice of the epoch."""
    results = [read_metrics(path) for path in metrics]
    caption = (
        "Test clips at each epoch that a published number might be of; the paper doesn't say which "
        "it used. The best on test is known where all epochs are kept (train.keep_epochs). "
        f"{run_caption(results)}."
    )
    save_table(make_table(results), table_files, caption=caption)
