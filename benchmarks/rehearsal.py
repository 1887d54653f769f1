"""A stand-in for MagnaTagATune: its tables, and an archive of its size with other audio in it.

Usage: python benchmarks/rehearsal.py TABLES FOLDER CLIP.mp3 ...

TABLES is a folder with the official tables; the stand-in is made in FOLDER. Its mp3.zip has all
25,863 paths of the annotations, in the clips given, one after another, again and again; the three
clips that are empty in the original are empty. Then, in a checkout of the project:

    snakemake --cores all --config corpus=FOLDER -- results/extract_mel/summary.csv
"""

import shutil
import sys
import zipfile
from pathlib import Path

from autotagging.common.progress import progress
from autotagging.corpus.paths import ANNOTATIONS, ARCHIVE, CLIP_INFO
from autotagging.corpus.tables import find_table, read_annotations

EMPTY_CLIPS = [35644, 55753, 57881]


def main(tables: Path, folder: Path, clips: list[Path]) -> None:
    folder.mkdir(parents=True)
    for name in (ANNOTATIONS, CLIP_INFO):
        table = find_table(tables, name)
        shutil.copyfile(table, folder / table.name)
    listed = read_annotations(find_table(tables, ANNOTATIONS))[["clip_id", "mp3_path"]]
    contents = [clip.read_bytes() for clip in clips]
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        rows = progress(listed.itertuples(), total=len(listed), label="Writing clips")
        for number, clip in enumerate(rows):
            empty = clip.clip_id in EMPTY_CLIPS
            archive.writestr(clip.mp3_path, b"" if empty else contents[number % len(contents)])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(clip) for clip in sys.argv[3:]])
