"""Step download: get a corpus, list its clips, fingerprint its audio (sec. II.A)."""

import gzip
import shutil
import sys
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.common.files import read_json, replacing, write_csv, write_json
from autotagging.corpus.audio import open_corpus
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO, corpus_folder, corpus_title
from autotagging.corpus.tables import find_table, read_annotations, read_clip_info


def download(
    *,
    corpus: str,
    remote: Path,
    demo_clips: int,
    demo_seed: int,
    threads: int,
    annotations: Path,
    clip_info: Path,
    clips: Path,
    groups: Path,
    audio: Path,
    offline: bool = False,
) -> None:
    """Get a corpus and list its clips.

    Parameters
    ----------
    corpus
        "demo" (synthesised), "magnatagatune" (downloaded), or a folder in the same format.
    remote
        YAML with the addresses and checksums of MagnaTagATune.
    demo_clips
        Annotated clips of the demo corpus.
    demo_seed
        Seed of the demo corpus.
    threads
        Processes that synthesise it.
    annotations
        Output: annotations_final.csv of the corpus.
    clip_info
        Output: clip_info_final.csv of the corpus.
    clips
        Output: clip_id, mp3_path, bytes (none where the file is missing) of annotated clips.
    groups
        Output: clip_id, track, album, artist of each clip in clip_info_final.csv.
    audio
        Output: the corpus, its title for captions, its audio files, bytes and sha256.
    offline
        Connect to nothing: what is to be downloaded must be there.
    """
    folder = corpus_folder(corpus)
    if corpus == "demo":
        _make_demo(folder, clips=demo_clips, seed=demo_seed, threads=threads)
    elif corpus == "magnatagatune":
        from autotagging.corpus.remote import fetch, read_data_set

        fetch(read_data_set(remote), folder, offline=offline)
    elif not folder.is_dir():
        raise UserError(f"corpus {corpus}: {folder} is not a folder")

    sources = [find_table(folder, name) for name in (ANNOTATIONS, CLIP_INFO)]
    listed = read_annotations(sources[0])[["clip_id", "mp3_path"]]
    grouped = read_clip_info(sources[1])
    opened = open_corpus(folder)
    listed["bytes"] = listed["mp3_path"].map(opened.sizes()).astype("Int64")
    for source, target in zip(sources, (annotations, clip_info), strict=True):
        _copy_table(source, target)
    write_csv(listed, clips)
    write_csv(grouped, groups)
    title = corpus_title(corpus)
    write_json({"corpus": corpus, "title": title, **opened.fingerprint()}, audio)
    print(
        f"{len(listed)} clips, {listed['bytes'].isna().sum()} of them missing, "
        f"{(listed['bytes'] == 0).sum()} empty",
        file=sys.stderr,
    )


def _make_demo(folder: Path, *, clips: int, seed: int, threads: int) -> None:
    """Synthesise the demo corpus, unless the folder holds just that one already."""
    from autotagging import demo

    receipt = folder / "demo.json"
    wanted = {"clips": clips, "seed": seed, "synthesiser": demo.fingerprint()}
    if receipt.exists() and read_json(receipt) == wanted:
        return
    if folder.exists() and any(folder.iterdir()) and not receipt.exists():
        raise UserError(f"{folder}: not a demo corpus, so it is left alone; move it away")
    shutil.rmtree(folder, ignore_errors=True)
    demo.synthesise(folder, clips=clips, seed=seed, workers=threads)
    write_json(wanted, receipt)


def _copy_table(source: Path, target: Path) -> None:
    opener = gzip.open if source.suffix == ".gz" else open
    with replacing(target) as temporary, opener(source, "rb") as original:
        temporary.write_bytes(original.read())
