"""What the files of a corpus in MagnaTagATune's format are called (sec. II.A)."""

import re

ANNOTATIONS = "annotations_final.csv"
CLIP_INFO = "clip_info_final.csv"
ARCHIVE = "mp3.zip"
# No such path leaves the corpus: it has one slash, and a first folder that is not "..".
CLIP_PATH = re.compile(r"[0-9a-f]/[A-Za-z0-9_.-]+\.mp3")
