"""Changes of a corpus of the user that DVC does not notice, because it knows only its name."""

import csv
from collections.abc import Iterator, Set
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.corpus.audio import Corpus
from autotagging.corpus.delimited import table_bytes
from autotagging.corpus.paths import (
    ANNOTATIONS,
    CLIP_INFO,
    VOCABULARY,
    VOCABULARY_COPY,
    corpus_folder,
)
from autotagging.corpus.tables import find_table
from autotagging.tools._engines import RESULTS


def check_own_corpus(corpus: str, *, rules: Set[str]) -> None:
    """Check that a corpus is still that of the results which some rules read.

    Tables and vocabulary are compared by content, clips by size, so that no audio is read.

    Parameters
    ----------
    corpus
        Corpus as in params.yaml: a folder.
    rules
        Rules that run.

    Raises
    ------
    UserError
        The corpus has changed since the step download or merge_tags, and it is not among `rules`.
    """
    audio = RESULTS / "download/audio.json"
    if "download" in rules or not audio.is_file():
        return
    if read_json(audio, corpus=str)["corpus"] != corpus:
        return
    folder = corpus_folder(corpus)
    for step, changes in (("download", _files), ("merge_tags", _vocabulary)):
        if step not in rules and (changed := next(changes(folder), None)):
            raise UserError(
                f"{changed} has changed since the step {step}, which DVC does not notice; type "
                f"`dvc repro --force {step}`, then the same command"
            )


def _files(folder: Path) -> Iterator[Path]:
    """Find tables and clips that are not as `download` saw them; missing clips do not count."""
    for name in (ANNOTATIONS, CLIP_INFO):
        path, seen = find_table(folder, name), RESULTS / "download" / name
        if seen.is_file() and table_bytes(path) != seen.read_bytes():
            yield path
    listed = RESULTS / "download/clips.csv"
    if not listed.is_file():
        return
    sizes = Corpus(folder).sizes()
    with listed.open(newline="", encoding="utf-8") as file:
        for clip in csv.DictReader(file):
            size = sizes.get(clip["mp3_path"])
            if size is not None and str(size) != clip["bytes"]:
                yield folder / clip["mp3_path"]


def _vocabulary(folder: Path) -> Iterator[Path]:
    """Find a vocabulary that is not the one that `merge_tags` used."""
    used = RESULTS / "merge_tags" / VOCABULARY_COPY
    texts = [path.read_bytes() if path.is_file() else b"" for path in (folder / VOCABULARY, used)]
    if used.with_name("labels.csv").is_file() and texts[0] != texts[1]:
        yield folder / VOCABULARY
