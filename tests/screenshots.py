"""Pictures for the pages: python tests/screenshots.py report.html docs/images.

The report is photographed; some figures next to it, in results/figures, are copied.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

from browser import CHROMIUM, Page, open_browser

SIZE = (1200, 820)
_COLOURS = 64  # enough for text and bars, and a third of the bytes


_FIGURES = ("figure_7", "mel_examples")


def photograph(page: Page, path: Path) -> None:
    """Write what is to be seen as a small PNG."""
    page.screenshot(path)
    reduce(path, path)


def reduce(source: Path, target: Path) -> None:
    """Write a PNG with few colours."""
    with Image.open(source) as image:
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(
            target, optimize=True
        )


def main(report: Path, folder: Path) -> None:
    """Write report.png, the first page, report_clips.png, its clips to listen to, and figures."""
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
