"""Write docs/data.md, a description of MagnaTagATune with all numbers counted in its tables.

The text is the template data_card.md in this folder. The numbers are counted here, with the
functions of the pipeline's steps. TensorFlow is not imported.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError
from autotagging.common.files import replacing
from autotagging.common.params import read_params
from autotagging.corpus.delimited import read_delimited, table_bytes
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO
from autotagging.corpus.remote import MAGNATAGATUNE, DataSet, read_data_set
from autotagging.corpus.tables import find_table, read_annotations, read_clip_info
from autotagging.corpus.transfer import RemoteFile
from autotagging.dataset.groups import LEVELS
from autotagging.dataset.subsets import SUBSETS, describe, read_labels
from autotagging.labels import partition
from autotagging.labels.tags import merge_synonyms, most_frequent
from autotagging.metrics.averages import accuracy
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.reporting.inputs import read_table
from autotagging.reporting.tables.files import to_markdown
from autotagging.steps.merge_tags import merge_tags
from autotagging.tools._recordings import count_compiled, recordings
from autotagging.training.epoch_metrics import cross_entropy, mean_roc_auc

_TEMPLATE = Path(__file__).with_suffix(".md")
# Not in the tables: clips whose mp3 has zero bytes, and the decoded length of a clip.
EMPTY_CLIPS = [35644, 55753, 57881]
_SECONDS = 465_984 / 16_000
_FORGOTTEN = "female vocal"
_ALL_VOICES = ("singer", "vocal", "female", "male")
# A clip with the first tag should have none of the others.
_CONTRARY = {"no singer": _ALL_VOICES, "no beat": ("beat", "drum"), "fast": ("slow",)}
# A clip with the first tag should have one of the others.
_IMPLIED = {"violin": ("string",), "cello": ("string",), "female": ("vocal", "singer")}


def data_card(
    *,
    tables: Path,
    vocabulary: Path,
    params: Path,
    out: Path,
    remote: Path = MAGNATAGATUNE,
) -> None:
    """Describe MagnaTagATune on a page of Markdown, with all numbers counted in its tables.

    Parameters
    ----------
    tables
        Folder with the two official tables, plain or gzipped.
    vocabulary
        YAML with the synonym groups and the categories of tags.
    params
        params.yaml, for number of tags, sizes and seed of the split, pseudo-count of lookup.
    out
        Output: page as Markdown.
    remote
        YAML with the sizes and checksums of MagnaTagATune.

    Raises
    ------
    UserError
        A table is missing, damaged or not the official one, or params lacks a parameter.
    """
    data_set = read_data_set(remote)
    path_of = {file.name: find_table(tables, file.name) for file in data_set.tables}
    clips = read_annotations(path_of[ANNOTATIONS]).set_index("clip_id")
    groups = read_clip_info(path_of[CLIP_INFO]).set_index("clip_id")[[*LEVELS]]
    names = ("clip_id", "artist", "album", "title", "segmentStart", "segmentEnd", "mp3_path")
    segments = read_delimited(path_of[CLIP_INFO], required=names)
    info = segments.set_index(segments["clip_id"].astype(int)).loc[clips.index]
    groups["title"] = recordings(info)
    for file in data_set.tables:
        _check_official(path_of[file.name], file)
    settings = _read_params(params)
    facts = {
        **settings,
        **count_segments(segments),
        **count_compiled(info, groups.loc[info.index, "title"]),
        **_describe_tags(path_of[ANNOTATIONS], clips, groups, vocabulary, settings),
        "seconds": _SECONDS,
        "hours": len(clips) * _SECONDS / 3600,
        **groups.loc[clips.index, [*LEVELS]].nunique().add_prefix("n_"),
        "file_table": _file_table(data_set),
        "empty_table": to_markdown(clips.loc[EMPTY_CLIPS, ["mp3_path"]].reset_index()),
        "group_table": to_markdown(group_table(groups.loc[clips.index])),
        "folder_table": folder_table(clips["mp3_path"], groups),
    }
    with replacing(out) as temporary:
        text = _TEMPLATE.read_text(encoding="utf-8").format_map(facts)
        temporary.write_text(text, encoding="utf-8")


def _describe_tags(
    annotations: Path,
    clips: pd.DataFrame,
    groups: pd.DataFrame,
    vocabulary: Path,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Describe the tags that the step merge_tags gives."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("labels", "other_labels", "tags", "raw_tags", "tag_settings")
        names += ("versions", "checksums")
        paths = {name: Path(folder) / name for name in names}
        n = settings["n_tags"]
        merge_tags(
            annotations=annotations, vocabulary=vocabulary, synonyms="merge", n_tags=n, **paths
        )
        labels = read_labels(paths["labels"]).drop(columns="mp3_path")
        tags, raw_tags = (read_table(paths[name], ()) for name in ("tags", "raw_tags"))
    raw, usable = clips.drop(columns="mp3_path"), clips.drop(index=EMPTY_CLIPS)
    used = labels.loc[usable.index]
    truth = used.to_numpy()
    return {
        **count_tags(raw, prefix="raw"),
        **count_tags(used, prefix="kept"),
        **find_cut(raw_tags, n),
        **leave_out(_FORGOTTEN, raw, raw_tags, n),
        "no_accuracy": 100 * accuracy(truth, np.zeros(truth.shape), threshold=0.5),
        "prior_loss": cross_entropy(truth, np.broadcast_to(truth.mean(axis=0), truth.shape)),
        "tag_table": _tag_table(tags, len(clips)),
        "noise_table": to_markdown(noise_table(labels)),
        "split_table": _split_table(usable, used, groups, settings),
    }


def _read_params(path: Path) -> dict[str, Any]:
    try:
        params = read_params(path)
        return {
            "n_tags": params["merge_tags"]["n_tags"],
            "weights": {name: params["split"][name] for name in SUBSETS},
            "seed": params["split"]["seed"],
            "pseudo_count": params["train"]["lookup"]["pseudo_count"],
        }
    except (KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not the parameters of the pipeline ({reason})") from error


def _check_official(path: Path, file: RemoteFile) -> None:
    content = table_bytes(path)
    if hashlib.new(file.algorithm, content).hexdigest() != file.checksum:
        raise UserError(
            f"{path}: not the official {file.name} ({len(content)} bytes unpacked, expected "
            f"{file.bytes} with {file.algorithm} {file.checksum}); use the official table"
        )


def count_segments(segments: pd.DataFrame) -> dict[str, Any]:
    """Count the rows of clip_info; give its lengths and starts of clips in seconds, as text."""
    starts = segments["segmentStart"].astype(int)
    lengths = sorted(set(segments["segmentEnd"].astype(int) - starts))
    return {
        "listed": len(segments),
        "without_file": int((segments["mp3_path"] == "").sum()),
        "segment_lengths": " or ".join(map(str, lengths)),
        "segment_starts": ", ".join(map(str, sorted(set(starts))[:4])),
    }


def count_tags(labels: pd.DataFrame, *, prefix: str) -> dict[str, float]:
    """Count clips, tags and positives of a label matrix; shares in percent."""
    per_clip = labels.sum(axis=1)
    counts = {
        "clips": len(labels),
        "tags": labels.shape[1],
        "positives": int(per_clip.sum()),
        "mean": per_clip.mean(),
        "median": per_clip.median(),
        "most": int(per_clip.max()),
        "none": int((per_clip == 0).sum()),
        "none_share": 100 * (per_clip == 0).mean(),
        "density": 100 * per_clip.sum() / labels.size,
    }
    return {f"{prefix}_{name}": value for name, value in counts.items()}


def find_cut(raw_tags: pd.DataFrame, n: int) -> dict[str, Any]:
    """Name the last merged tag that is kept and the first that is not, with their counts."""
    ranked = raw_tags.drop_duplicates("merged_into").sort_values(
        ["merged_count", "merged_into"], ascending=[False, True]
    )
    if n >= len(ranked):
        raise UserError(f"n_tags is {n}: the card needs fewer than the {len(ranked)} merged tags")
    names, counts = ranked["merged_into"].tolist(), ranked["merged_count"].tolist()
    return {
        "merged_tags": len(ranked),
        "last_in": names[n - 1],
        "last_in_count": counts[n - 1],
        "first_out": names[n],
        "first_out_count": counts[n],
    }


def leave_out(tag: str, raw: pd.DataFrame, raw_tags: pd.DataFrame, n: int) -> dict[str, Any]:
    """Find the changes in the n most frequent merged tags if a raw tag is not merged."""
    groups = raw_tags.groupby("merged_into")["raw_tag"].agg(list).to_dict()
    kept = most_frequent(merge_synonyms(raw, groups), n)
    next(group for group in groups.values() if tag in group).remove(tag)
    merged = merge_synonyms(raw, groups)
    changed = most_frequent(merged, n)
    return {
        "forgotten": tag,
        "tags_without": merged.shape[1],
        "enters": ", ".join(sorted(set(changed).difference(kept))),
        "leaves": ", ".join(sorted(set(kept).difference(changed))),
    }


def group_table(groups: pd.DataFrame) -> pd.DataFrame:
    """Tabulate the number of tracks, albums and artists, and their numbers of clips."""
    sizes = {level: groups[level].value_counts() for level in LEVELS}
    return pd.DataFrame(
        {
            "level": [*sizes],
            "number": [len(size) for size in sizes.values()],
            "fewest_clips": [size.min() for size in sizes.values()],
            "median": [f"{size.median():g}" for size in sizes.values()],
            "most": [size.max() for size in sizes.values()],
        }
    )


def folder_table(mp3_paths: pd.Series, groups: pd.DataFrame) -> str:
    """Tabulate each folder's clips, albums, artists and subset in the folder split."""
    known = groups.reindex(mp3_paths.index).assign(
        folder=mp3_paths.str[0], subset=partition.folder_split(mp3_paths)
    )
    by_folder = known.groupby("folder")
    table = by_folder[["album", "artist"]].nunique()
    table.insert(0, "clips", by_folder.size())
    table = table.rename(columns={"album": "albums", "artist": "artists"})
    return to_markdown(table.assign(folder_split=by_folder["subset"].first()).reset_index())


def _file_table(data_set: DataSet) -> str:
    files = [*data_set.tables, *data_set.parts, data_set.archive]
    rows = [(file.name, f"{file.bytes:,}", f"{file.algorithm} {file.checksum}") for file in files]
    return to_markdown(pd.DataFrame(rows, columns=["file", "bytes", "checksum"]))


def _tag_table(tags: pd.DataFrame, clips: int) -> str:
    several = tags["merged_from"].str.contains(";")
    table = tags.assign(
        share=[_percent(count / clips) for count in tags["count"]],
        merged_from=tags["merged_from"].str.replace(";", ", ").where(several, ""),
    )
    table.insert(0, "rank", range(1, len(table) + 1))
    return to_markdown(table[["rank", "tag", "category", "count", "share", "merged_from"]])


def noise_table(labels: pd.DataFrame) -> pd.DataFrame:
    """Tabulate how often tags contradict each other, and how often an implied tag is missing."""
    rows = []
    for relations, missing in ((_CONTRARY, False), (_IMPLIED, True)):
        for tag, others in relations.items():
            odd = labels.loc[labels[tag] == 1, list(others)].any(axis=1) != missing
            named = f"{'not ' * missing}tagged {' or '.join(others)}"
            rows.append((tag, named, int(odd.sum()), _percent(odd.mean())))
    return pd.DataFrame(rows, columns=["clips_tagged", "and_yet", "clips", "share"])


def _split_table(
    clips: pd.DataFrame, labels: pd.DataFrame, groups: pd.DataFrame, settings: dict[str, Any]
) -> str:
    how = {"weights": settings["weights"], "seed": settings["seed"]}
    splits = split_by_each_scheme(clips["mp3_path"], labels, groups, **how)
    raw = clips[most_frequent(clips.drop(columns="mp3_path"), settings["n_tags"])]
    tagged = raw[raw.any(axis=1)]
    cases = [(scheme, "merged", labels, subset) for scheme, subset in splits.items()]
    cases.append(("folder", "raw, untagged dropped", tagged, splits["folder"][tagged.index]))
    count = settings["pseudo_count"]
    rows = [
        {"scheme": scheme, "tags": tags} | describe_split(truth, subset, groups, pseudo_count=count)
        for scheme, tags, truth, subset in cases
    ]
    return to_markdown(pd.DataFrame(rows))


def split_by_each_scheme(
    mp3_paths: pd.Series, labels: pd.DataFrame, groups: pd.DataFrame, **how: Any
) -> dict[str, pd.Series]:
    """Give the subset of each clip by scheme of the split; `how` is weights and seed."""
    splits = {
        "random": partition.random_split(labels.index, **how),
        "folder": partition.folder_split(mp3_paths),
    }
    for level in LEVELS:
        splits[level] = partition.group_split(groups.loc[labels.index, level], labels, **how)
    return splits


def describe_split(
    labels: pd.DataFrame, subset: pd.Series, groups: pd.DataFrame, *, pseudo_count: float
) -> dict[str, Any]:
    """Give a split's sizes, its leakage, and the macro ROC-AUC of `lookup` on its test clips.

    `groups` has `title`, too: the result of `recordings`.
    """
    shares = partition.leakage(subset, groups)["share"]
    counts = fit_lookup(labels[subset == "train"], groups)
    test, title = labels[subset == "test"], groups["title"].reindex(subset.index)
    again = title[test.index].isin(title[subset == "train"])
    scores = score_lookup(counts, groups.reindex(test.index), pseudo_count=pseudo_count)
    return {
        "train / validation / test": describe("", subset).strip(),
        **{level: _percent(share) for level, share in zip(LEVELS, shares, strict=True)},
        "title": _percent(again.mean()),
        "lookup": mean_roc_auc(test.to_numpy(), scores),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
