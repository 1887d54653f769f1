"""Step merge_tags: 188 raw tags to the 50 most frequent merged ones (sec. II.A, Fig. 2)."""

import sys
from pathlib import Path
from typing import Literal

import pandas as pd

from autotagging.common.errors import UserError
from autotagging.common.files import (
    read_written,
    replacing,
    write_checksums,
    write_csv,
    write_json,
)
from autotagging.common.versions import write_versions
from autotagging.corpus.paths import VOCABULARY_COPY
from autotagging.corpus.tables import read_annotations
from autotagging.labels.tags import (
    STRUCTURE,
    SynonymError,
    merge_synonyms,
    merged_names,
    most_frequent,
    table_of_kept,
    table_of_raw,
)
from autotagging.labels.vocabulary import read_vocabulary

LIBRARIES = ("numpy", "pandas")


def merge_tags(
    *,
    annotations: Path,
    vocabulary: Path,
    synonyms: Literal["merge", "keep"],
    n_tags: int,
    labels: Path,
    other_labels: Path,
    tags: Path,
    raw_tags: Path,
    tag_settings: Path,
    versions: Path,
    checksums: Path,
    vocabulary_copy: Path | None = None,
) -> None:
    """Merge synonymous tags and keep the most frequent.

    Parameters
    ----------
    annotations
        annotations_final.csv of the corpus.
    vocabulary
        YAML file with the synonym groups and the categories of tags.
    synonyms
        Treatment of synonymous tags: merge them, or keep the raw tags.
    n_tags
        Maximum number of tags to keep; fewer are kept if fewer have positives.
    labels
        Output: clip_id, mp3_path, then a column of 0 and 1 per kept tag, most frequent first.
    other_labels
        Output: clip_id, mp3_path, then a column per tag that is not kept and has positives.
    tags
        Output: tag, category, count and merged_from of each kept tag.
    raw_tags
        Output: raw_tag, count, merged_into, merged_count and kept of each raw tag.
    tag_settings
        Output: synonyms and n_tags, for the descriptions of later results.
    versions
        Output: versions of the libraries that made the results.
    checksums
        Output: SHA-256 of the other files.
    vocabulary_copy
        Output: copy of the vocabulary, if it is that of the corpus.
    """
    known = read_vocabulary(vocabulary)
    groups = known.synonyms if synonyms == "merge" else {}
    read_written(annotations)  # compares its checksum
    clips = read_annotations(annotations)
    raw = clips.drop(columns=[*STRUCTURE])
    try:
        merged = merge_synonyms(raw, groups)
    except SynonymError as error:
        line = known.line(error.group, error.tag)
        raise UserError(f"{vocabulary}, line {line}: {error}") from error
    known.warn_of_unknown(raw.columns)
    kept = most_frequent(merged, n_tags)
    if not kept:
        raise UserError(f"{annotations}: no clip has any tag")
    merging = f"{merged.shape[1]} merged" if synonyms == "merge" else "not merged"
    print(f"{raw.shape[1]} raw tags, {merging}, {len(kept)} kept", file=sys.stderr)
    if len(kept) < n_tags:
        print(f"warning: {n_tags} tags wanted, {len(kept)} have positives", file=sys.stderr)

    merged_into = merged_names(raw.columns, groups)
    others = [tag for tag in merged.columns.difference(kept, sort=False) if merged[tag].any()]
    for chosen, path in ((kept, labels), (others, other_labels)):
        write_csv(pd.concat([clips[[*STRUCTURE]], merged[chosen]], axis=1), path)
    write_csv(table_of_kept(merged, kept, merged_into, known.synonyms, known.category_of), tags)
    write_csv(table_of_raw(raw, merged, kept, merged_into), raw_tags)
    write_json({"synonyms": synonyms, "n_tags": n_tags}, tag_settings)
    write_versions(versions, *LIBRARIES)
    written = [labels, other_labels, tags, raw_tags, tag_settings, versions]
    if vocabulary_copy:
        with replacing(vocabulary_copy) as temporary:
            temporary.write_bytes(vocabulary.read_bytes())
        written.append(vocabulary_copy)
    else:
        labels.with_name(VOCABULARY_COPY).unlink(missing_ok=True)  # of the corpus before
    write_checksums(checksums, written)
