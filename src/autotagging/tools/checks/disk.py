"""Free space on the disks of the project and of the corpora, and what is still to be written."""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from autotagging.tools.checks import Check

_OTHERS = 1e9  # bytes of all but audio and spectrograms
_DEMO_CLIP = 120_000  # bytes
_MAGNATAGATUNE_CLIPS = 25_863
_FIX = "free space, or use another disk (for audio that is downloaded or made: AUTOTAGGING_CORPORA)"


def check_disk(params: dict[str, Any]) -> Check:
    """Compare the free space of each disk with what is not yet written there."""
    disks: dict[int, tuple[Path, float]] = {}
    for folder, size in _to_write(params):
        whole = folder.resolve()
        there = next(path for path in (whole, *whole.parents) if path.exists())
        place, others = disks.get(_disk_of(there), (there, 0.0))
        disks[_disk_of(there)] = place, others + size
    texts, fix = [], ""
    for place, size in disks.values():
        free = shutil.disk_usage(place).free
        text = f"{free / 1e9:.1f} GB free"
        if free < size:
            text, fix = f"{text}, {size / 1e9:.1f} are needed", _FIX
        texts.append(f"{place}: {text}" if texts else text)
    return Check("disk", "; ".join(texts), fix)


def _disk_of(folder: Path) -> int:
    return folder.stat().st_dev


def _to_write(params: dict[str, Any]) -> Iterator[tuple[Path, float]]:
    """Yield folders, the first on the project's disk, and bytes that are not yet there."""
    from autotagging.corpus.paths import corpus_folder
    from autotagging.models import reads_spectrograms

    yield Path("results"), _OTHERS
    if any(reads_spectrograms(model) for model in params["models"]):
        yield Path("results/extract_mel"), _spectrograms(params)
    if (size := _audio(params)) > 0:
        yield corpus_folder(params["corpus"]), size


def _spectrograms(params: dict[str, Any]) -> float:
    """Bytes of the spectrograms that are missing; DVC's cache gets a copy of all."""
    from autotagging.mel.sizes import frame_count

    how = params["extract_mel"]
    keys = ("seconds", "sample_rate", "hop_length")
    clip = 2 * how["n_mels"] * frame_count(**{key: how[key] for key in keys})
    whole = clip * _clips(params)
    folders = (Path("results/extract_mel"), Path("unfinished/extract_mel"))
    shards = [path for folder in folders for path in folder.glob("shard-*.npy")]
    missing = whole - sum(path.stat().st_size for path in shards)
    return missing + whole if missing > 0 else 0.0


def _clips(params: dict[str, Any]) -> int:
    """Count the clips of the corpus; for a folder, the rows of its table."""
    from autotagging.corpus.delimited import table_bytes
    from autotagging.corpus.paths import ANNOTATIONS, corpus_folder
    from autotagging.corpus.tables import find_table

    if params["corpus"] == "demo":
        return params["demo"]["clips"]
    if params["corpus"] == "magnatagatune":
        return _MAGNATAGATUNE_CLIPS
    table = find_table(corpus_folder(params["corpus"]), ANNOTATIONS)
    return len(table_bytes(table).splitlines()) - 1


def _audio(params: dict[str, Any]) -> float:
    """Bytes of the audio that is to be downloaded or made; joining the parts takes one twice."""
    from autotagging.corpus.paths import ARCHIVE, corpus_folder
    from autotagging.corpus.remote import MAGNATAGATUNE, read_data_set

    corpus, folder = params["corpus"], corpus_folder(params["corpus"])
    twice = 0
    if corpus == "demo":
        whole = params["demo"]["clips"] * _DEMO_CLIP
    elif corpus == "magnatagatune" and not (_downloaded() == corpus or (folder / ARCHIVE).exists()):
        data_set = read_data_set(MAGNATAGATUNE)
        parts = [part.bytes for part in data_set.parts]
        whole, twice = sum(table.bytes for table in data_set.tables) + sum(parts), max(parts)
    else:
        return 0.0
    files = [path for path in folder.glob("*") if path.is_file()]
    missing = whole - sum(path.stat().st_size for path in files if "damaged-" not in path.name)
    return missing + twice if missing > 0 else 0.0


def _downloaded() -> str | None:
    """Corpus of the results of download, if there are some."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        text = Path("results/download/audio.json").read_text(encoding="utf-8")
        return json.loads(text)["corpus"]
    return None
