import pandas as pd

from autotagging.reporting.tables.tag_counts import tag_distribution


def test_tag_distribution_counts_each_clip_once_after_merging():
    raw = pd.DataFrame(
        {
            "raw_tag": ["beat", "flute", "beats", "harp"],
            "count": [5, 7, 4, 0],
            "merged_into": ["beat", "flute", "beat", "harp"],
            "merged_count": [8, 7, 8, 0],
            "kept": [1, 1, 1, 0],
        }
    )
    assert tag_distribution(raw).to_dict("list") == {
        "rank": [1, 2, 3],
        "tag": ["beat", "flute", "harp"],
        "clips_before": [5, 7, 0],
        "clips_after": [8, 7, 0],
        "kept": ["yes", "yes", "no"],
        "merged_from": ["beat, beats", "", ""],
    }
