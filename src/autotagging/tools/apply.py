"""Write the tags of a plan into files: the command `autotagging apply`."""

from contextlib import closing
from pathlib import Path

from autotagging.common.files import check_regular, sha256
from autotagging.common.progress import progress
from autotagging.tagging.journal import Journal, journal_path, lock_journal
from autotagging.tagging.plans import read_plan
from autotagging.tagging.printable import printable
from autotagging.tagging.writing import apply_plan, check_plan
from autotagging.tools._outcomes import report


def apply(
    plan: Path, /, *, dry_run: bool = False, journal: Path | None = None, keep_times: bool = False
) -> None:
    """Write the genres and moods of a plan into the files.

    Each file is copied next to itself, the copy gets the tags, is read again and compared, and
    takes the file's place. A file that is not as it was when the plan was made, or that can't be
    written, stays as it is, and is listed; the exit code is then 1. A plan that was interrupted
    goes on where it was. `autotagging undo` restores all files byte for byte from the journal.

    Parameters
    ----------
    plan
        Plan that `autotagging tag --plan` has written.
    dry_run
        Only show what would be written.
    journal
        File that tells `autotagging undo` how the files were; by default next to the plan: of
        plan.jsonl, plan.journal.jsonl.
    keep_times
        Keep the modification times of the files. Backups and players may then overlook that the
        files have changed.

    Raises
    ------
    UserError
        The journal is in use, or is not that of this plan.
    OSError
        The plan can't be read, or the journal can't be written.
    """
    if dry_run:
        report(check_plan(read_plan(plan)), show=("planned",))
        return
    check_regular(plan)  # it is read twice
    digest = sha256(plan)
    path = journal or journal_path(plan, digest)
    check_regular(path)
    with lock_journal(path), closing(Journal(path, plan.name, digest)) as opened:
        total = sum(1 for _ in read_plan(plan))
        outcomes = apply_plan(read_plan(plan), opened, keep_times=keep_times)
        print(printable(f"journal: {path}"))
        report(progress(outcomes, total=total, label="Writing tags"))
