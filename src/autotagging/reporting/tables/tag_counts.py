"""Table of clips per tag, before and after merging (sec. II.A)."""

import pandas as pd


def merged(raw_tags: pd.DataFrame) -> bool:
    """Tell whether any raw tag was merged into a tag of another name."""
    return bool((raw_tags["raw_tag"] != raw_tags["merged_into"]).any())


def tag_distribution(raw_tags: pd.DataFrame) -> pd.DataFrame:
    """List the merged tags with their counts before and after merging, most frequent first.

    Parameters
    ----------
    raw_tags : (raw tags, 5)
        raw_tag, count, merged_into, merged_count, kept (0 or 1).

    Returns
    -------
    table : (merged tags, 6)
        rank, tag, clips_before (with the raw tag of that name), clips_after, kept ("yes" or "no"),
        merged_from (raw tags, if several).
    """
    own = raw_tags.set_index("raw_tag")["count"]
    rows = [
        {
            "tag": tag,
            "clips_before": own.get(tag, 0),
            "clips_after": group["merged_count"].iloc[0],
            "kept": "yes" if group["kept"].iloc[0] else "no",
            "merged_from": ", ".join(group["raw_tag"]) if len(group) > 1 else "",
        }
        for tag, group in raw_tags.groupby("merged_into")
    ]
    table = pd.DataFrame(rows).sort_values(
        ["clips_after", "kept", "tag"], ascending=[False, False, True], ignore_index=True
    )
    table.insert(0, "rank", range(1, len(table) + 1))
    return table
