"""The tagger of a command: what it is, and a warning of what it lacks."""

import sys
from pathlib import Path

from autotagging.tagging.bundle import DEFAULT_THRESHOLD, Description, read_description
from autotagging.tagging.printable import printable
from autotagging.tagging.trained import default_model


def chosen_model(model: Path | None) -> tuple[Path, Description]:
    """Read what the tagger is; print a warning if none of its tags has a threshold.

    Parameters
    ----------
    model
        Folder of a bundle or of a trained network; None: the first network in results/train.

    Returns
    -------
    model, described
        Its folder, and what it is.

    Raises
    ------
    UserError
        There is no model, it is damaged, or it is of a kind that can't tag audio.
    """
    model = model or default_model()
    described = read_description(model)
    if not described.thresholds:
        text = (
            f"warning: {model}: no thresholds of its tags are known, so that all are "
            f"{DEFAULT_THRESHOLD}; `autotagging export --per-tag` adds those of a per_tag.csv"
        )
        print(printable(text), file=sys.stderr)
    return model, described
