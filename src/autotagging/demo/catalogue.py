"""The catalogue of the demo corpus: fictitious artists, albums, tracks and clips.

As in MagnaTagATune, a track has several clips, an album is in one of sixteen folders, and an
artist may have albums in several folders.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from autotagging.demo.styles import STYLES

FIRST = (
    "Amber",
    "Azure",
    "Birch",
    "Brass",
    "Cedar",
    "Cobalt",
    "Copper",
    "Coral",
    "Crystal",
    "Ember",
    "Fern",
    "Frost",
    "Gilded",
    "Hazel",
    "Indigo",
    "Ivory",
    "Juniper",
    "Lunar",
    "Maple",
    "Mossy",
    "Opal",
    "Saffron",
    "Silver",
    "Velvet",
)
SECOND = (
    "Arcade",
    "Atlas",
    "Beacon",
    "Bridge",
    "Canal",
    "Comet",
    "Compass",
    "Ferry",
    "Fountain",
    "Garden",
    "Harbour",
    "Heron",
    "Island",
    "Lagoon",
    "Meadow",
    "Mill",
    "Mirror",
    "Orchard",
    "Otter",
    "Pavilion",
    "River",
    "Signal",
    "Sparrow",
    "Valley",
)
ARTIST_FORMS = ("{} {}", "The {} {}", "{} {} Society", "{} {} Project", "{} {} Players")
ALBUM_FORMS = ("{} {}", "Songs of the {} {}", "Beyond the {} {}", "{} {} Sessions", "A {} {}")
TITLE_FORMS = ("{} {}", "To the {} {}", "{} {} at Dawn", "Under a {} {}", "The Last {} {}")

# From 12 in steps of 3, so that a few albums are enough to fill the folder split 0-b, c, d-f.
FOLDERS = "cf258be147ad0369"
CLIPS_AN_ALBUM = 4
MOST_ALBUMS_A_STYLE = 18


@dataclass(frozen=True)
class Track:
    """A track: `index` numbers the tracks of the corpus, `number` those of the album."""

    index: int
    style: str
    artist: str
    album: str
    folder: str
    number: int
    title: str

    @property
    def url(self) -> str:
        """Page of the album."""
        return f"http://www.example.org/artists/albums/{slug(self.artist)}-{slug(self.album)}/"

    @property
    def original_url(self) -> str:
        """Address of the whole track."""
        name = quote(f"{self.number:02d}-{self.title}-{self.artist}")
        return f"http://www.example.org/all/{name}.mp3"


@dataclass(frozen=True)
class Clip:
    """A passage of 29 s that starts `start` s into a track; only some clips were annotated."""

    clip_id: int
    track: Track
    start: int
    annotated: bool

    @property
    def end(self) -> int:
        """Second of the track at which the clip ends."""
        return self.start + 29

    @property
    def mp3_path(self) -> str:
        """Path of the clip inside the archive."""
        track = self.track
        names = "-".join(slug(name) for name in (track.artist, track.album))
        span = f"{self.start}-{self.end}"
        return f"{track.folder}/{names}-{track.number:02d}-{slug(track.title)}-{span}.mp3"


def slug(name: str) -> str:
    """Format a name for a file name: lower case, underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _names(forms: tuple[str, ...], count: int, rng: np.random.Generator) -> list[str]:
    """Draw different names of the given forms."""
    total = len(forms) * len(FIRST) * len(SECOND)
    names = []
    for choice in rng.choice(total, count, replace=False):
        form, rest = divmod(int(choice), len(FIRST) * len(SECOND))
        first, second = divmod(rest, len(SECOND))
        names.append(forms[form].format(FIRST[first], SECOND[second]))
    return names


def _shares(clips: int) -> dict[str, int]:
    """Clips of each style, by largest remainder; a small corpus has fewer styles."""
    names = list(STYLES)
    count = min(len(names), max(1, clips // 2))
    names = [names[i * len(names) // count] for i in range(count)]
    weights = np.array([STYLES[name].weight for name in names])
    exact = clips * weights / weights.sum()
    shares = np.floor(exact).astype(int)
    missing = clips - shares.sum()
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    return dict(zip(names, shares.tolist(), strict=True))


def _split_up(total: int, sizes: tuple[int, int], rng: np.random.Generator) -> list[int]:
    """Cut `total` into parts of random sizes from `sizes` (both included; the last may be less)."""
    parts = []
    while total:
        parts.append(min(total, int(rng.integers(sizes[0], sizes[1] + 1))))
        total -= parts[-1]
    return parts


def _albums(clips: int, rng: np.random.Generator) -> list[tuple[str, str, int]]:
    """Style, artist and number of clips of each album."""
    albums = []
    artists = iter(_names(ARTIST_FORMS, len(STYLES) * MOST_ALBUMS_A_STYLE, rng))
    for style, share in _shares(clips).items():
        count = min(MOST_ALBUMS_A_STYLE, max(1, round(share / CLIPS_AN_ALBUM)))
        for discography in _split_up(count, (1, 3), rng):
            artist = next(artists)
            albums += [[style, artist, 0] for _ in range(discography)]
        for clip in range(share):
            albums[-1 - clip % count][2] += 1
    return [tuple(album) for album in albums]


def _tracks(clips: int, rng: np.random.Generator) -> list[tuple[Track, int]]:
    """Tracks with their number of annotated clips."""
    albums = _albums(clips, rng)
    titles = iter(_names(ALBUM_FORMS, len(albums), rng))
    tracks = []
    for position, (style, artist, size) in enumerate(albums):
        album, folder = next(titles), FOLDERS[position % len(FOLDERS)]
        sizes = _split_up(size, (1, 3), rng)
        for number, (title, count) in enumerate(
            zip(_names(TITLE_FORMS, len(sizes), rng), sizes, strict=True), start=1
        ):
            track = Track(len(tracks), style, artist, album, folder, number, title)
            tracks.append((track, count))
    return tracks


def catalogue(clips: int, *, seed: int) -> list[Clip]:
    """Create the list of clips of a corpus.

    Parameters
    ----------
    clips
        Number of annotated clips; about a tenth as many unannotated clips are added.
    seed
        Seed of all random choices.

    Returns
    -------
    clips
        In the order of their ids, which increase by 1 or more: first all first tracks, then all
        second ones, as in MagnaTagATune.
    """
    rng = np.random.default_rng([seed, 0])
    listed: list[Clip] = []
    clip_id = 1
    tracks = _tracks(clips, rng)
    for track, count in sorted(tracks, key=lambda item: item[0].number):
        extra = int(rng.random() < 0.25)
        segments = np.sort(rng.choice(count + extra + 3, count + extra, replace=False))
        left_out = rng.integers(0, len(segments)) if extra else -1
        for position, segment in enumerate(segments.tolist()):
            clip_id += int(rng.geometric(0.45))
            # The official cuts: 0, 30, 59, 88, ... seconds.
            start = 29 * segment + (segment > 0)
            listed.append(Clip(clip_id, track, start, position != left_out))
    return listed
