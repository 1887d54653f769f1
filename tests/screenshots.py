"""Pictures for the pages: python tests/screenshots.py report.html docs/images.

The report is photographed; some figures next to it, in results/figures, are copied. A song made of
test clips is tagged with the CRNN, for a taggram and for the page of `autotagging serve`.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from PIL import Image

from autotagging.corpus.audio import open_corpus
from browser import CHROMIUM, Page, open_browser

SIZE = (1200, 820)
_COLOURS = 64  # enough for text and bars, and a third of the bytes
_SHADES = 256  # of the cells of a taggram

_FIGURES = ("figure_7", "mel_examples")


def photograph(page: Page, path: Path, colours: int = _COLOURS) -> None:
    """Write what is to be seen as a small PNG."""
    page.screenshot(path)
    reduce(path, path, colours)


def reduce(source: Path, target: Path, colours: int = _COLOURS) -> None:
    """Write a PNG with few colours."""
    with Image.open(source) as image:
        image.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(target, optimize=True)


_PARTS = ("ambient", "techno", "choir", "rock", "flute", "jazz")
_RATE = 16_000


def write_medley(results: Path, path: Path) -> None:
    """Join a test clip of each of some tags."""
    labels = pd.read_csv(results / "merge_tags/labels.csv").merge(
        pd.read_csv(results / "split/split.csv")[["clip_id", "subset"]]
    )
    test = labels[labels["subset"] == "test"]
    corpus = open_corpus(results / "download")
    clips = [test.loc[test[tag] == 1, "mp3_path"].iloc[0] for tag in _PARTS]
    waves = [corpus.waveform(clip, sample_rate=_RATE) for clip in clips]
    soundfile.write(path, np.concatenate(waves), _RATE, format="MP3")


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """Run `autotagging serve`; yield its address."""
    command = ["autotagging", "serve", "--model", str(model), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def photograph_tagger(results: Path, folder: Path, scratch: Path) -> None:
    """Write taggram.png, the figure of a song, and serve.png, the page with the same song."""
    model, song = results / "train/crnn/seed-0", scratch / "demo medley.mp3"
    write_medley(results, song)
    figure = scratch / "taggram.png"
    subprocess.run(
        ["autotagging", "taggram", song, "--model", model, "--figure", figure], check=True
    )
    reduce(figure, folder / figure.name, _SHADES)
    with serving(model) as address, open_browser(scratch / "profile", *SIZE) as page:
        page.open(address)
        page.wait("document.querySelector('#model').textContent !== ''")
        page.choose_files("#files", song)
        page.wait("document.querySelector('#songs .done') !== null", seconds=300)
        page.wait("document.querySelector('#audio').duration > 120")
        page.run("document.querySelector('#audio').currentTime = 100")
        page.wait("document.querySelector('#time').innerText.includes('1:40')")
        photograph(page, folder / "serve.png", _SHADES)


def main(report: Path, folder: Path) -> None:
    """Write report.png, the first page, report_clips.png, its clips to listen to, and others."""
    for name in _FIGURES:
        reduce(report.parent / f"results/figures/{name}.png", folder / f"{name}.png")
    if CHROMIUM is None:
        sys.exit("needs Chromium (Debian: apt install chromium)")
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # Chromium still writes
    with scratch as profile, open_browser(Path(profile), *SIZE) as page:
        page.open(report)
        page.wait("document.querySelector('main.page h1') !== null")
        clips = "[...document.querySelectorAll('main.page audio')]"
        page.wait(f"{clips}.every(clip => clip.readyState >= 1)")
        page.wait("document.fonts.status === 'loaded'")
        page.wait("document.getAnimations().every(each => each.playState !== 'running')")
        photograph(page, folder / "report.png")
        page.run(
            "document.querySelector('main.page .clips').previousElementSibling"
            ".previousElementSibling.scrollIntoView()"
        )
        photograph(page, folder / "report_clips.png")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        photograph_tagger(report.parent / "results", folder, Path(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
