"""Make a substitute for MagnaTagATune: its tables, and an archive of its size with other audio.

Usage: python benchmarks/rehearsal.py TABLES FOLDER CLIP.mp3 ...

TABLES is a folder with the official tables; the substitute is made in FOLDER. Its mp3.zip has all
25,863 paths of the annotations; the given clips, repeated in turn, are their contents. The three
clips that are empty in the original are empty. Then, in a checkout of the project:

    snakemake --cores all --config corpus=FOLDER -- results/extract_mel/summary.csv
"""

import argparse
import shutil
import zipfile
from pathlib import Path

from autotagging.common.progress import progress
from autotagging.corpus.paths import ANNOTATIONS, ARCHIVE, CLIP_INFO
from autotagging.corpus.tables import find_table, read_annotations
from autotagging.tools.data_card import EMPTY_CLIPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, help="folder with the two official tables")
    parser.add_argument("folder", type=Path, help="folder for the tables and the archive")
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP.mp3", help="clips to repeat")
    arguments = parser.parse_args()
    make_corpus(arguments.tables, arguments.folder, arguments.clips)


def make_corpus(tables: Path, folder: Path, clips: list[Path]) -> None:
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
    main()
