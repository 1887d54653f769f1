"""Show what became of files."""

import sys
from collections import Counter
from collections.abc import Collection, Iterable

from autotagging.common.counting import counted
from autotagging.tagging.outcomes import Outcome
from autotagging.tagging.printable import printable


def report(outcomes: Iterable[Outcome], *, show: Collection[str] = ()) -> None:
    """Print files that failed, have a message or are asked for, and the number of all.

    If a file failed, the command ends with exit code 1.

    Parameters
    ----------
    outcomes
        What became of each file.
    show
        Kinds of outcomes that are printed in any case.
    """
    counts: Counter[str] = Counter()
    failed = False
    for outcome in outcomes:
        counts[outcome.what] += 1
        failed |= outcome.failed
        if outcome.failed:
            print(printable(str(outcome)), file=sys.stderr)
        elif outcome.message or outcome.what in show:
            print(printable(outcome.path), *outcome.message.split("\n"), sep="\n  ")
    total = counts.total()
    parts = [f"{count} {what}" for what, count in counts.items()]
    print(f"{counted(total, 'file')}: {', '.join(parts) or 'nothing to do'}")
    if failed:
        sys.exit(1)
