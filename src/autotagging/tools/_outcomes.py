"""Show what became of files."""

from collections import Counter
from collections.abc import Collection, Iterable

from autotagging.common.errors import UserError
from autotagging.tagging.outcomes import Outcome, printable


def report(outcomes: Iterable[Outcome], *, show: Collection[str] = ()) -> None:
    """Print files that failed, have a message or are asked for, and the number of all.

    Parameters
    ----------
    outcomes
        What became of each file.
    show
        Kinds of outcomes that are printed in any case.

    Raises
    ------
    UserError
        A file failed.
    """
    counts: Counter[str] = Counter()
    failed = 0
    for outcome in outcomes:
        counts[outcome.what] += 1
        failed += outcome.failed
        if outcome.failed:
            message = printable(outcome.message)
            print(f"{printable(outcome.path)}: {outcome.what}: {message}")
        elif outcome.message or outcome.what in show:
            print(printable(outcome.path), *outcome.message.split("\n"), sep="\n  ")
    total = counts.total()
    parts = [f"{count} {what}" for what, count in counts.items()]
    print(f"{total} {'file' if total == 1 else 'files'}: {', '.join(parts) or 'nothing to do'}")
    if failed:
        raise UserError(f"{failed} of {total} files stay as they are, for the reasons above")
