"""The catalogue of the demo corpus: fictitious artists, albums, tracks and clips.

As in MagnaTagATune, a track has several clips, an album is in one of sixteen folders, and an
artist may have albums in several folders. An artist plays several styles, so names tell something
about a clip, but less than its audio.
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
CLIPS_AN_ALBUM = 5
MOST_ALBUMS = 450
# Share of the tracks that are not in their artist's usual styles, and share of the clips that are
# not in their track's style.
OTHER_TRACKS = 0.4
OTHER_PASSAGES = 0.18


@dataclass(frozen=True)
class Track:
    """A track: `index` numbers the tracks of the corpus, `number` those of the album."""

    index: int
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
    """A passage of 29 s, in one style, from second `start` of a track; only some are annotated."""

    clip_id: int
    track: Track
    style: str
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


def _tracks(clips: int, rng: np.random.Generator) -> list[tuple[Track, int]]:
    """Tracks with their number of annotated clips, artist by artist."""
    count = min(MOST_ALBUMS, max(1, round(clips / CLIPS_AN_ALBUM)))
    discographies = _split_up(count, (1, 3), rng)
    artists = _names(ARTIST_FORMS, len(discographies), rng)
    artist_of = [a for a, albums in zip(artists, discographies, strict=True) for _ in range(albums)]
    titles = _names(ALBUM_FORMS, count, rng)
    tracks = []
    for position, (artist, album) in enumerate(zip(artist_of, titles, strict=True)):
        size = clips // count + (position < clips % count)
        sizes = _split_up(size, (1, 3), rng)
        folder = FOLDERS[position % len(FOLDERS)]
        names = _names(TITLE_FORMS, len(sizes), rng)
        for number, (title, of_track) in enumerate(zip(names, sizes, strict=True), start=1):
            track = Track(len(tracks), artist, album, folder, number, title)
            tracks.append((track, of_track))
    return tracks


def _some(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a share of the numbers below `count`, in random order."""
    return rng.permutation(count)[: round(share * count)]


def _styles(sizes: list[int], rng: np.random.Generator) -> list[list[str]]:
    """Draw the styles of the clips of each track.

    At first, the clips of a style are neighbours, so each artist has one or two styles. Then some
    tracks of the corpus exchange their styles, and after them some clips. Each style keeps its
    number of clips.
    """
    total = sum(sizes)
    styles = np.array([style for style, share in _shares(total).items() for _ in range(share)])
    ends = np.cumsum(sizes)
    blocks = [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    again = _some(len(blocks), OTHER_TRACKS, rng)
    if len(again):
        places = np.concatenate([blocks[track] for track in np.sort(again)])
        styles[np.concatenate([blocks[track] for track in again])] = styles[places]
    others = _some(total, OTHER_PASSAGES, rng)
    styles[others] = styles[np.sort(others)]
    return [styles[block].tolist() for block in blocks]


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
    of_tracks = _styles([count for _, count in tracks], rng)
    for (track, count), styles in sorted(
        zip(tracks, of_tracks, strict=True), key=lambda item: item[0][0].number
    ):
        extra = int(rng.random() < 0.25)
        segments = np.sort(rng.choice(count + extra + 3, count + extra, replace=False))
        left_out = int(rng.integers(0, len(segments))) if extra else -1
        if extra:
            styles.insert(left_out, styles[0])
        for position, (segment, style) in enumerate(zip(segments.tolist(), styles, strict=True)):
            clip_id += int(rng.geometric(0.45))
            # The official cuts: 0, 30, 59, 88, ... seconds.
            start = 29 * segment + (segment > 0)
            listed.append(Clip(clip_id, track, style, start, position != left_out))
    return listed
