"""From 188 raw tags to the 50 most frequent merged ones (sec. II.A, Fig. 2)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from autotagging.common.errors import UserError

STRUCTURE = ("clip_id", "mp3_path")
"""Columns next to those of the tags, in annotations_final.csv and labels.csv."""


class SynonymError(UserError):
    """A synonym group that can't be applied; `tag` and `group` are the place of the fault."""

    def __init__(self, message: str, *, tag: str, group: str):
        super().__init__(message)
        self.tag = tag
        self.group = group


def merge_synonyms(labels: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Merge the columns of synonymous tags: a clip has the merged tag if it has any of them.

    Parameters
    ----------
    labels : (clips, raw tags)
        0 and 1.
    groups
        Raw tags to merge, by the name of the merged tag, which may be one of them.

    Returns
    -------
    merged : (clips, tags)
        0 and 1; a merged tag takes the place of the first of its columns.

    Raises
    ------
    SynonymError
        A group names a tag that is not a column or is in two groups, or has the name of a tag that
        is not in it or of a column that is no tag.
    """
    merged_into = merged_names(labels.columns, groups)
    merged = labels.T.groupby(merged_into.to_numpy(), sort=False).max().T
    return merged.astype(labels.dtypes.iloc[0])


def merged_names(raw_tags: Sequence[str], groups: Mapping[str, Sequence[str]]) -> pd.Series:
    """Map each raw tag to its merged tag: the name of its group, or its own.

    Returns
    -------
    merged_into : (raw tags,)
        Indexed by raw tag, in the order given.

    Raises
    ------
    SynonymError
        See `merge_synonyms`.
    """
    merged_into = pd.Series(raw_tags, index=raw_tags, dtype=object)
    grouped: dict[str, str] = {}
    for group, members in groups.items():
        for tag in members:
            if tag not in merged_into.index:
                message = (
                    f"synonym group {group!r}: the corpus has no tag {tag!r}; correct the group, "
                    "or set merge_tags.synonyms to keep, which merges no tags"
                )
                raise SynonymError(message, tag=tag, group=group)
            if tag in grouped:
                message = f"tag {tag!r} is in two groups: {grouped[tag]!r} and {group!r}"
                raise SynonymError(message, tag=tag, group=group)
            grouped[tag] = group
            merged_into[tag] = group
    for group in groups:
        if group in STRUCTURE:
            message = f"synonym group {group!r} has the name of a column that is no tag; rename it"
            raise SynonymError(message, tag=group, group=group)
        if group in merged_into.index and grouped.get(group) != group:
            message = f"synonym group {group!r} has the name of a tag that is not in it"
            raise SynonymError(message, tag=group, group=group)
    return merged_into


def most_frequent(labels: pd.DataFrame, n: int) -> list[str]:
    """List the n most frequent tags, the most frequent first, ties in alphabetical order.

    The list is shorter if fewer tags have a positive.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1.
    n
        Maximum number of tags, from 1.

    Raises
    ------
    ValueError
        n is below 1.
    """
    if n < 1:
        raise ValueError(f"the {n} most frequent tags; expected at least 1")
    counts = labels.sum().rename("count").rename_axis("tag").reset_index()
    counts = counts[counts["count"] > 0].sort_values(["count", "tag"], ascending=[False, True])
    return counts["tag"].head(n).tolist()


def find_category(
    tag: str, groups: Mapping[str, Sequence[str]], category_of: Mapping[str, str]
) -> str | None:
    """Find the category of a raw or merged tag.

    It is the tag's own, or else that of the name of its group, or else the one that raw tags of the
    group have, if it is the same for all that have one.

    Parameters
    ----------
    tag
        A raw tag, or the name of a group.
    groups
        Synonymous raw tags, by the name of their merged tag.
    category_of
        Category of each raw or merged tag that has its own.

    Returns
    -------
    category
        None without one.
    """
    group = next((name for name, raw in groups.items() if tag == name or tag in raw), tag)
    if known := [category_of[name] for name in (tag, group) if name in category_of]:
        return known[0]
    of_raw = {category_of[raw] for raw in groups.get(group, ()) if raw in category_of}
    return of_raw.pop() if len(of_raw) == 1 else None


def table_of_kept(
    merged: pd.DataFrame,
    kept: Sequence[str],
    merged_into: pd.Series,
    groups: Mapping[str, Sequence[str]],
    category_of: Mapping[str, str],
) -> pd.DataFrame:
    """Describe the tags that are kept.

    Parameters
    ----------
    merged : (clips, tags)
        Result of `merge_synonyms`.
    kept
        Result of `most_frequent`.
    merged_into : (raw tags,)
        Result of `merged_names`.
    groups, category_of
        See `find_category`; the groups are those of the vocabulary, also where tags are not merged.

    Returns
    -------
    table : (kept tags, 4)
        tag, category ("other" without one), count (of clips), merged_from (raw tags, separated by
        semicolons).
    """
    return pd.DataFrame(
        {
            "tag": kept,
            "category": [find_category(tag, groups, category_of) or "other" for tag in kept],
            "count": merged[[*kept]].sum().to_numpy(),
            "merged_from": [";".join(merged_into.index[merged_into == tag]) for tag in kept],
        }
    )


def table_of_raw(
    raw: pd.DataFrame, merged: pd.DataFrame, kept: Sequence[str], merged_into: pd.Series
) -> pd.DataFrame:
    """Describe what became of each raw tag; see `table_of_kept`.

    Returns
    -------
    table : (raw tags, 5)
        raw_tag, count (of clips), merged_into, merged_count (clips of that tag), kept (0 or 1).
    """
    return pd.DataFrame(
        {
            "raw_tag": raw.columns,
            "count": raw.sum().to_numpy(),
            "merged_into": merged_into.to_numpy(),
            "merged_count": merged.sum()[merged_into].to_numpy(),
            "kept": merged_into.isin(kept).astype(int).to_numpy(),
        }
    )
