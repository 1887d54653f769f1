"""Cost of each step that reads tables, for a corpus many times as large as MagnaTagATune.

Usage: python benchmarks/scaling.py TABLES OUT --clips 1000000, from the top of the repository.
TABLES is a folder with the two official tables; OUT takes 6 GB, 2.6 of them for spectrograms.
"""

import argparse
import shutil
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from models import RESULTS, command, evaluate_flags, run, settings_of, train_flags

from autotagging.common.files import sha256
from autotagging.common.params import options_of
from autotagging.corpus.paths import ANNOTATIONS, ARCHIVE, CLIP_INFO
from autotagging.corpus.tables import find_table

IDS_APART = 100_000  # above the largest clip_id of MagnaTagATune
SCHEMES = ("random", "folder", "track", "album", "artist")
CLIP_SHAPE = (96, 1366)
WRITTEN_CLIPS = 10_000  # in the one shard that is stored in full
DOWNLOAD, TAGS, SPLIT = (RESULTS / step for step in ("download", "merge_tags", "split"))
TRAINED = RESULTS / "train/lookup"
OPEN_ARCHIVE = """
import sys
from pathlib import Path
from autotagging.corpus.audio import open_corpus
open_corpus(Path(sys.argv[1])).sizes()
"""
GATHER = """
import os, sys
from pathlib import Path
import numpy as np
from autotagging.dataset.store import MelStore
summary = Path(sys.argv[1])
for shard in summary.parent.glob("*.npy"):  # drop from the page cache what was just written
    with shard.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
store = MelStore(summary)
clip_ids = np.random.default_rng(0).permutation(store.clip_ids.to_numpy())
for first in range(0, 32 * int(sys.argv[2]), 32):
    store.gather(clip_ids[first : first + 32])
"""

Step = tuple[str, list[str | Path], Path | None]  # label, command, folder that it writes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, help="folder with the two official tables")
    parser.add_argument("out", type=Path, help="folder for the corpus and the results")
    parser.add_argument("--clips", type=int, default=1_000_000, help="number of clips")
    parser.add_argument("--shards", type=int, default=100, help="number of shards")
    parser.add_argument("--steps", nargs="+", help="only steps whose names begin with one of these")
    arguments = parser.parse_args()
    corpus, results = arguments.out.resolve() / "corpus", arguments.out / RESULTS
    if not corpus.is_dir():
        # In a process of its own, so that its memory doesn't count as that of the steps.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(make_corpus, arguments.tables, corpus, arguments.clips).result()
            pool.submit(make_shards, corpus, results / "extract_mel", arguments.shards).result()
            pool.submit(make_written_shard, results / "written").result()
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    print("| step | clips | wall s | CPU s | peak MB | MB written |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name, words, folder in steps(corpus, params):
        if arguments.steps and not name.startswith(tuple(arguments.steps)):
            continue
        found = run(words, folder=arguments.out)
        written = sum(path.stat().st_size for path in files_in(arguments.out, folder))
        cells = [f"{found['seconds']:.1f}", f"{found['cpu']:.1f}"]
        cells += [f"{found['bytes'] / 1e6:.0f}", f"{written / 1e6:.1f}"]
        print(f"| {name} | {arguments.clips} | {' | '.join(cells)} |", flush=True)


def files_in(out: Path, folder: Path | None) -> list[Path]:
    """Files that a step has written, without those of a later one."""
    return [path for path in (out / folder).iterdir() if path.is_file()] if folder else []


def make_corpus(tables: Path, folder: Path, clips: int) -> None:
    """Repeat the official tables, each time with other ids, paths, artists, albums and urls."""
    partial = folder.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    annotations, info = (
        pd.read_csv(find_table(tables, name), sep="\t", dtype=str, na_filter=False)
        for name in (ANNOTATIONS, CLIP_INFO)
    )
    repeats = -(-clips // len(annotations))
    with zipfile.ZipFile(partial / ARCHIVE, "w") as archive:
        for repeat in range(repeats):
            some = renamed(annotations, repeat).head(clips - repeat * len(annotations))
            append(some, partial / ANNOTATIONS)
            append(renamed(info, repeat), partial / CLIP_INFO)
            for path in some["mp3_path"]:
                archive.writestr(zipfile.ZipInfo(path), b"mp3")
    partial.rename(folder)


def renamed(table: pd.DataFrame, repeat: int) -> pd.DataFrame:
    ids = table["clip_id"].astype(int) + repeat * IDS_APART
    paths = table["mp3_path"].str.replace(".mp3", f".{repeat}.mp3", regex=False)
    groups = {
        name: table[name] + f" {repeat}" for name in ("artist", "album", "url") if name in table
    }
    return table.assign(clip_id=ids.astype(str), mp3_path=paths, **groups)


def append(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(
        path, sep="\t", index=False, header=not path.exists(), mode="a", quoting=1,
        lineterminator="\r\n",
    )  # fmt: skip


def make_shards(corpus: Path, folder: Path, shards: int) -> None:
    """Write tables of shards, and full-size spectrograms as sparse files."""
    annotations = pd.read_csv(corpus / ANNOTATIONS, sep="\t", usecols=["clip_id"])
    blocks = np.array_split(annotations["clip_id"].to_numpy(), shards)
    names = [f"shard-{number:02}" for number in range(shards)]
    for name, clip_ids in zip(names, blocks, strict=True):
        make_shard(folder / name, clip_ids)
    write_summary(folder, names)


def make_written_shard(folder: Path) -> None:
    """Write one shard that is no sparse file: only then does reading it use the disk."""
    rng = np.random.default_rng(0)
    spectrograms = make_shard(folder / "shard-00", np.arange(WRITTEN_CLIPS))
    spectrogram = rng.random(CLIP_SHAPE).astype(np.float16)
    spectrograms[:] = spectrogram
    spectrograms.flush()
    table = pd.read_csv(folder / "shard-00.csv").assign(crc32=zlib.crc32(spectrogram))
    table.to_csv(folder / "shard-00.csv", index=False)
    write_summary(folder, ["shard-00"])


def write_summary(folder: Path, names: list[str]) -> None:
    summary = pd.DataFrame({"shard": names})
    summary["table_sha256"] = [sha256(folder / f"{name}.csv") for name in names]
    summary.to_csv(folder / "summary.csv", index=False)


def make_shard(path: Path, clip_ids: np.ndarray) -> np.memmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"clip_id": clip_ids, "row": range(len(clip_ids)), "seconds": 29.124, "status": "ok"}
    table["crc32"] = zlib.crc32(np.zeros(CLIP_SHAPE, np.float16))
    pd.DataFrame(table).to_csv(path.with_suffix(".csv"), index=False)
    return np.lib.format.open_memmap(
        path.with_suffix(".npy"), "w+", np.float16, (len(clip_ids), *CLIP_SHAPE)
    )


def steps(corpus: Path, params: dict) -> Iterator[Step]:
    """Yield the steps in an order in which they can run."""
    yield download(corpus)
    yield merge_tags(params)
    for scheme in reversed(SCHEMES):  # so that the paper's, the first, is left for training
        yield split(scheme, params["split"])
    yield train(params)
    yield evaluate(params)
    yield "open the archive", [sys.executable, "-c", OPEN_ARCHIVE, corpus], None
    holes, written = (RESULTS / name / "summary.csv" for name in ("extract_mel", "written"))
    yield "open the shards", [sys.executable, "-c", GATHER, holes, "0"], None
    yield "gather 100 x 32 clips", [sys.executable, "-c", GATHER, written, "100"], None


def download(corpus: Path) -> Step:
    settings = {
        "corpus": corpus,
        "remote": Path("workflow/resources/magnatagatune.yaml").resolve(),
        "demo_clips": 1,
        "demo_seed": 0,
        "threads": 1,
    }
    outputs = {
        "annotations": "annotations_final.csv",
        "clip_info": "clip_info_final.csv",
        "clips": "clips.csv",
        "groups": "groups.csv",
        "audio": "audio.json",
    }
    return "download", command("download", settings | paths(DOWNLOAD, outputs)), DOWNLOAD


def merge_tags(params: dict) -> Step:
    settings = {
        "annotations": DOWNLOAD / "annotations_final.csv",
        "vocabulary": Path("workflow/resources/tags.yaml").resolve(),
        "synonyms": "merge",
        "n_tags": params["merge_tags"]["n_tags"],
    }
    outputs = {
        "labels": "labels.csv",
        "other_labels": "other_labels.csv",
        "tags": "tags.csv",
        "raw_tags": "raw_tags.csv",
        "tag_settings": "settings.json",
    }
    return "merge_tags", command("merge_tags", settings | paths(TAGS, outputs)), TAGS


def split(scheme: str, params: dict) -> Step:
    settings = {
        "labels": TAGS / "labels.csv",
        "clips": DOWNLOAD / "clips.csv",
        "groups": DOWNLOAD / "groups.csv",
        "scheme": scheme,
        "file": "none",
        "untagged": "keep",
        **{name: params[name] for name in ("train", "validation", "test", "seed")},
    }
    outputs = {"split": "split.csv", "leakage": "leakage.csv", "split_settings": "settings.json"}
    return f"split, {scheme}", command("split", settings | paths(SPLIT, outputs)), SPLIT


def train(params: dict) -> Step:
    settings, section = settings_of("lookup", params), options_of(params["train"]["lookup"])
    flags = train_flags("lookup", TRAINED, settings, section, params, threads=1)
    return "train, lookup", command("train", flags), TRAINED


def evaluate(params: dict) -> Step:
    flags = evaluate_flags("lookup", TRAINED, params, threads=1)
    flags |= {"precision_at": 5, "resamples": 1000}
    return "evaluate, lookup", command("evaluate", flags), TRAINED / "evaluation"


def paths(folder: Path, names: dict[str, str]) -> dict[str, Path]:
    """Flags of a step's outputs."""
    names = names | {"versions": "versions.json", "checksums": "SHA256SUMS"}
    return {flag: folder / name for flag, name in names.items()}


if __name__ == "__main__":
    main()
