"""Description of a corpus's tables in the Croissant format of MLCommons, as JSON-LD."""

import re
from pathlib import Path
from typing import Any

FILE = "croissant.json"
_VERSION = "http://mlcommons.org/croissant/1.0"
_TAB = "text/tab-separated-values"
# Record set, file in results/, and what a row is.
_TABLES = {
    "annotations": ("download/annotations_final.csv", "Raw tags of a clip, as published: 0 or 1."),
    "clip_info": ("download/clip_info_final.csv", "Origin of a clip, as published."),
    "clips": ("download/clips.csv", "File of a clip: bytes and CRC-32, empty if it is missing."),
    "groups": ("download/groups.csv", "Track, album and artist of a clip."),
    "labels": ("merge_tags/labels.csv", "Tags of a clip that models learn: 0 or 1."),
    "split": ("split/split.csv", "Subset of a clip: train, validation or test."),
}
_WITH_TAGS = ("results/download/annotations_final.csv", "results/merge_tags/labels.csv")
_NUMBERS = ("clip_id", "bytes", "crc32")
_DESCRIBED = {
    "clip_id": "Number of the clip.",
    "mp3_path": "Path of the clip's audio file, mostly MP3, in the archive.",
    "bytes": "Size of the clip's file.",
    "crc32": "CRC-32 of the clip's file.",
    "track": "Track from which the clip was cut.",
    "album": "Album, with its artist.",
    "artist": "Artist.",
    "subset": "train, validation or test.",
    "title": "Title of the track.",
    "track_number": "Number of the track on its album.",
    "segmentStart": "Second of the track at which the clip begins.",
    "segmentEnd": "Second of the track at which the clip ends.",
    "url": "Page of the album.",
    "original_url": "Audio file of the whole track.",
}
_PREFIXES = {
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "rai": "http://mlcommons.org/croissant/RAI/",
}
_TERMS = ("column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty")
_TERMS += ("fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5")
_TERMS += ("parentField", "path", "recordSet", "references", "regex", "repeated", "replace")
_TERMS += ("samplingRate", "separator", "source", "subField", "transform")
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **_PREFIXES,
    **{term: f"cr:{term}" for term in _TERMS},
}


def describe_tables(
    columns: dict[str, list[str]],
    files: dict[str, tuple[int, str]],
    *,
    title: str,
    description: str,
    citation: str,
    licence: str,
    published: str,
) -> dict[str, Any]:
    """Describe the tables of a corpus: files, columns and types.

    Parameters
    ----------
    columns
        Names of the columns of each table, by its path.
    files
        Bytes and SHA-256 of each table, by its path.
    title, description
        Name of the data set, and what it is.
    citation
        Text to cite it by.
    licence
        Address of its licence, or a sentence on it.
    published
        Date as in ISO 8601.

    Returns
    -------
    document
        Content of croissant.json, next to the folder results/.
    """
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": title,
        "description": description,
        "conformsTo": _VERSION,
        "citeAs": citation,
        "license": licence,
        "datePublished": published,
        "version": "1.0.0",
        "distribution": [_file(path, *files[path]) for path in _paths()],
        "recordSet": [_records(name, columns) for name in _TABLES],
    }


def _paths() -> list[str]:
    return [f"results/{path}" for path, _ in _TABLES.values()]


TABLES = tuple(_paths())
"""Paths of the tables."""


def is_tab_separated(path: str) -> bool:
    """Tell whether a table is in the published format, which has TABs in spite of its name."""
    return path.endswith("_final.csv")


def _file(path: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": Path(path).name,
        "contentUrl": path,
        "contentSize": f"{size} B",
        "encodingFormat": _TAB if is_tab_separated(path) else "text/csv",
        "sha256": sha256,
    }


def _records(name: str, columns: dict[str, list[str]]) -> dict[str, Any]:
    table, description = _TABLES[name]
    path = f"results/{table}"
    ids = _ids(name, columns[path])
    fields = [_field(id_, path, column) for id_, column in zip(ids, columns[path], strict=True)]
    if name != "clips":
        fields[0]["references"] = {"field": {"@id": "clips/clip_id"}}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "key": {"@id": f"{name}/clip_id"},
        "field": fields,
    }


def _ids(records: str, columns: list[str]) -> list[str]:
    """Give each column a name of its own without spaces, which Croissant does not allow."""
    ids: list[str] = []
    for column in columns:
        id_ = f"{records}/{re.sub(r'[^A-Za-z0-9-]+', '_', column)}"
        ids.append(id_ if id_ not in ids else f"{id_}_{len(ids)}")
    return ids


def _field(id_: str, path: str, column: str) -> dict[str, Any]:
    is_tag = path in _WITH_TAGS and column not in ("clip_id", "mp3_path")
    other = f"Whether the clip has the tag {column!r}." if is_tag else "Not described."
    return {
        "@type": "cr:Field",
        "@id": id_,
        "name": column,
        "description": other if is_tag else _DESCRIBED.get(column, other),
        "dataType": "sc:Integer" if is_tag or column in _NUMBERS else "sc:Text",
        "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
    }
