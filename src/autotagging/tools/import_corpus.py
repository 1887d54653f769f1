"""Make a corpus of a person's own music: the command `autotagging import_corpus`."""

import json
import math
import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.locks import locked
from autotagging.common.progress import duration
from autotagging.corpus.folders import remove_unfinished, unfinished
from autotagging.labels.vocabulary import read_vocabulary
from autotagging.tagging.processes import check_timeout
from autotagging.tools._machine import cores
from autotagging.tools.importing import folder as corpus
from autotagging.tools.importing.clip_ids import ClipIds
from autotagging.tools.importing.cutting import (
    LONGEST_CLIP,
    BadSongError,
    Clip,
    CutSettings,
    check_size,
    cut_song,
    flac_has,
)
from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.labels import (
    TableSettings,
    clean,
    has_more_tags,
    read_labels,
)
from autotagging.tools.importing.naming import Named, TagSettings, name_tags
from autotagging.tools.importing.songs import Song, check_songs, find_songs, songs_with_tags
from autotagging.tools.importing.workers import Run, results, run_jobs

_SIZE = 0.7  # of 16-bit samples, that FLAC takes of loud music
_LISTED = 20
_KNOWN = 0.9  # of the songs whose artist has to be known for a split by artist
_FEWEST_ARTISTS = 10


def import_corpus(
    *,
    audio: Path,
    out: Path,
    csv: Path | None = None,
    from_files: tuple[Literal["genre", "mood"], ...] = (),
    table: Annotated[TableSettings, Parameter(name="*")] = TableSettings(),  # noqa: B008
    tags: Annotated[TagSettings, Parameter(name="*")] = TagSettings(),  # noqa: B008
    cut: Annotated[CutSettings, Parameter(name="*")] = CutSettings(),  # noqa: B008
    workers: int | None = None,
    timeout: float = 600.0,
    skip_bad: bool = False,
    replace: bool = False,
) -> None:
    """Make a corpus of your own music, for `corpus:` in params.yaml.

    Songs are cut into clips, mono FLAC files in the new folder; the music itself is only read. All
    clips of a song have its tags, and are one track. Artist and album, which the split needs, come
    from the table, or from the files' own tags.

    Parameters
    ----------
    audio
        Folder of the audio files; paths in the table start from it.
    out
        Output: folder of the corpus.
    csv
        Table of songs and tags, with the columns path; tag, or lists of tags such as genre and
        mood, or a column of 0 and 1 for each tag; and, if you like, artist, album, title, track.
    from_files
        Fields of the files' own tags to use in place of a table.
    workers
        Number of processes, by default one for each core that may be used.
    timeout
        Seconds in which a song has to be opened, and to be cut; else it can't be used.
    skip_bad
        Whether to leave out rows and files that can't be used, and list them in left_out.csv;
        otherwise nothing is written if there are some.
    replace
        Whether to replace the corpus of an earlier import.

    Raises
    ------
    UserError
        A row or file can't be used, the table can't be read, the disk is too small, or the folder
        is not one that may be written.
    """
    _check_arguments(audio, out, csv, from_files)
    _check_numbers(cut, workers, timeout)
    run = partial(run_jobs, workers=workers or cores(), timeout=timeout)
    with locked(out.with_name(f".{out.name}.lock"), f"import into {out}"):
        remove_unfinished(out)
        corpus.check_place(out, replace=replace, keep_vocabulary=tags.vocabulary is not None)
        ids = ClipIds(out)
        faults = Faults(skip=skip_bad)
        if csv:
            songs = find_songs(read_labels(csv, table, faults), audio, faults, run)
        else:
            songs, notes = songs_with_tags(audio, from_files, table.separator, faults, run)
            print(*notes, sep="\n", file=sys.stderr)
        check_songs(songs, faults)
        songs = _large_enough(_tagged(songs, tags), cut, faults)
        check_songs(songs, faults)
        songs = _tagged(songs, tags)  # songs that can't be cut may take tags with them
        _check_space(songs, out, cut)
        with unfinished(out) as scratch:
            for name in corpus.FOLDERS:
                (scratch / name).mkdir()
            clips_of = _cut(songs, scratch, cut, run, faults)
            check_songs([*clips_of], faults)
            songs = _tagged([*clips_of], tags)
            clips = [clips_of.pop(song) for song in songs]
            _delete(clips_of.values(), scratch)
            named = name_tags(songs, tags)
            if tags.vocabulary:
                read_vocabulary(tags.vocabulary).warn_of_unknown(named.tags)
            source = {"table": clean(csv.name)} if csv else {"fields": list(from_files)}
            receipt = {**source, **asdict(cut), "songs": len(songs), "clips": sum(map(len, clips))}
            corpus.write_tables(scratch, songs, clips, named, faults.found, receipt, ids)
        _describe(out, songs, clips, named, faults)


def _check_arguments(audio: Path, out: Path, csv: Path | None, from_files: tuple[str, ...]) -> None:
    if (csv is None) != bool(from_files):
        raise UserError("import_corpus needs either --csv TABLE or --from-files genre mood")
    if out.name in ("", ".."):
        raise UserError(f"{out}: --out is the name of a new folder")
    if not audio.is_dir():
        raise UserError(f"{audio}: no folder; --audio is the folder of the audio files")
    here, there = audio.resolve(), _resolved(out)
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise UserError(f"{out}: --out and --audio are inside each other; name another folder")


def _resolved(out: Path) -> Path:
    """Follow links; where they lead in a circle, `Path.resolve` may be an error."""
    return Path(os.path.realpath(out))


def _check_numbers(cut: CutSettings, workers: int | None, timeout: float) -> None:
    # The names of clips have whole seconds, so that shorter clips would share a name.
    for name, least in (("seconds", 1.0), ("sample_rate", 1000), ("shortest", 0.0)):
        option, value = f"--{name.replace('_', '-')}", getattr(cut, name)
        if value < least:
            raise UserError(f"{option} is less than {least:g}")
        if not value < math.inf:  # nor is NaN
            raise UserError(f"{option} {value}: expected a number")
    if cut.seconds > LONGEST_CLIP:
        raise UserError(f"--seconds is more than {LONGEST_CLIP:g}, an hour")
    if not flac_has(cut.sample_rate):
        raise UserError(
            f"--sample-rate {cut.sample_rate}: FLAC has up to 65535 Hz, and multiples of 10 up to "
            "655350"
        )
    check_timeout(timeout)
    if any(number is not None and number < 1 for number in (workers, cut.clips_per_song)):
        raise UserError("--workers and --clips-per-song are at least 1")


def _tagged(songs: list[Song], settings: TagSettings) -> list[Song]:
    """Leave out songs that have only tags that are left out."""
    named = name_tags(songs, settings)
    kept = [song for song, tags in zip(songs, named.of_song, strict=True) if tags or not song.tags]
    if len(kept) < len(songs):
        print(
            f"songs without a tag that is kept: {len(songs) - len(kept)}, left out", file=sys.stderr
        )
    return kept


def _large_enough(songs: list[Song], settings: CutSettings, faults: Faults) -> list[Song]:
    """Leave out songs of which it is known before hours of cutting that they can't be used."""
    kept = []
    for song in songs:
        try:
            check_size(song.size, settings)
            kept.append(song)
        except BadSongError as error:
            faults.add(song.where, str(error))
    return kept


def _check_space(songs: list[Song], out: Path, cut: CutSettings) -> None:
    """Print the length of the music and the disk space that its clips need, if there is enough."""
    most = min(cut.clips_per_song or 1e9, 1e9) * cut.seconds
    seconds = sum(min(song.seconds, most) for song in songs)
    size = _SIZE * 2 * cut.sample_rate * seconds
    free = shutil.disk_usage(next(path for path in _resolved(out).parents if path.exists())).free
    music = f"{counted(len(songs), 'song')} of {duration(sum(song.seconds for song in songs))}"
    text = (
        f"{music}; their clips take up to {size / 1e9:,.2f} GB of disk, and "
        f"{free / 1e9:,.2f} GB are free"
    )
    if size > free:
        raise UserError(f"{out}: {text}; free more space, or set --clips-per-song")
    print(text, file=sys.stderr)


def _cut(
    songs: list[Song], folder: Path, settings: CutSettings, run: Run, faults: Faults
) -> dict[Song, tuple[Clip, ...]]:
    """Cut the songs; give the clips of those that could be, in order.

    Of several songs with the same audio, the first is kept if it has the tags of all.
    """
    stems = [corpus.stem(song, number) for number, song in enumerate(songs, start=1)]
    jobs = [(song.path, stem, folder, settings) for song, stem in zip(songs, stems, strict=True)]
    cuts = results(run, cut_song, jobs, "Cutting songs", (BadSongError,))
    first: dict[str, Song] = {}
    kept: dict[Song, tuple[Clip, ...]] = {}
    unsure = {}
    for song, stem, found in zip(songs, stems, cuts, strict=True):
        if isinstance(found, Exception):
            reason = str(found)
        elif (other := first.setdefault(found.digest, song)) is not song:
            reason = f"the same audio as {other.name}"
            if has_more_tags(song.tags, other.tags):
                unsure[other] = song.name
        else:
            kept[song] = found.clips
            continue
        faults.add(song.where, reason)
        for clip in folder.glob(f"{stem}-*"):
            clip.unlink()
    for song, other in unsure.items():
        faults.add(song.where, f"{other} has the same audio with other tags")
        _delete([kept.pop(song)], folder)
    return kept


def _delete(clips: Iterable[tuple[Clip, ...]], folder: Path) -> None:
    """Delete the clips of songs."""
    for each in clips:
        for clip in each:
            (folder / clip.mp3_path).unlink()


def _describe(
    out: Path, songs: list[Song], clips: list[tuple[Clip, ...]], named: Named, faults: Faults
) -> None:
    """Print what was written, and how to train on it."""
    count = sum(map(len, clips))
    size = sum(path.stat().st_size for path in out.rglob("*.flac"))
    artists = Counter(song.artist for song in songs if song.artist)
    shown = [f"{_shown(tag)} {named.songs[tag]}" for tag in named.tags[:_LISTED]]
    more = len(named.tags) - len(shown)
    print(
        f"{out}: {counted(count, 'clip')} of {counted(len(songs), 'song')} by "
        f"{counted(len(artists), 'known artist')}, {counted(len(named.tags), 'tag')}, "
        f"{size / 1e9:,.2f} GB",
        f"songs of a tag: {', '.join(shown)}{f', and {more} more' if more else ''}",
        *(
            f"{_shown(tag)} is spelt {', '.join(map(_shown, others))}, too"
            for tag, others in named.spellings.items()
        ),
        sep="\n",
        file=sys.stderr,
    )
    if faults.found:
        left_out = out / corpus.LEFT_OUT
        print(
            f"rows and files that are left out: {len(faults.found)}, in {left_out}", file=sys.stderr
        )
    by_artist = sum(artists.values()) >= _KNOWN * len(songs) and len(artists) >= _FEWEST_ARTISTS
    scheme = "artist" if by_artist else "track"
    print(
        f"to train on it, set corpus: {out} and split.scheme: {scheme} in params.yaml, or type",
        f"snakemake --cores all --config corpus={shlex.quote(str(out))} "
        f'\'split={{"scheme":"{scheme}"}}\'',
        "either replaces the results of another corpus in results/: record them first by "
        "`autotagging record`, or work in a clone of the project",
        sep="\n",
        file=sys.stderr,
    )


def _shown(tag: str) -> str:
    """Tag in a list with commas, in quotes if it has a comma, or quotes, itself."""
    return json.dumps(tag, ensure_ascii=False) if {*tag} & {",", '"'} else tag
