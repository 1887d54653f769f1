"""Composition of the demo corpus: the notes of the parts of a piece."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autotagging.demo.instruments import Note
from autotagging.demo.percussion import DRUMS, PATTERNS
from autotagging.demo.synthesis import SAMPLE_RATE

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "bhairav": (0, 1, 4, 5, 7, 8, 11),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}

PROGRESSIONS = (
    (0, 4, 5, 3),
    (0, 5, 3, 4),
    (0, 3, 4, 0),
    (5, 3, 0, 4),
    (0, 1, 4, 0),
    (0, 6, 5, 4),
)


@dataclass(frozen=True)
class Song:
    """Common properties of all parts: tempo in beats per minute, key, chords, length in seconds."""

    tempo: float
    root: int
    scale: str
    progression: tuple[int, ...]
    seconds: float

    @property
    def beat(self) -> float:
        """Length of a beat in seconds."""
        return 60.0 / self.tempo

    @property
    def bars(self) -> int:
        """Number of bars of four beats; the last one may be incomplete."""
        return int(np.ceil(self.seconds / (4.0 * self.beat)))

    def chord(self, bar: int) -> int:
        """Scale degree of the chord in a bar."""
        return self.progression[bar % len(self.progression)]

    def pitch(self, degree: int, octave: int) -> float:
        """MIDI pitch of a scale degree counted from the root in an octave (4: middle C)."""
        steps = SCALES[self.scale]
        return (
            12 * (octave + 1) + self.root + 12 * (degree // len(steps)) + steps[degree % len(steps)]
        )


@dataclass(frozen=True)
class Part:
    """A part of a piece.

    Attributes
    ----------
    role
        A key of `ROLES`.
    instruments
        Keys of `autotagging.demo.instruments.INSTRUMENTS`, of which a passage uses one.
    octave
        Octave of the part; 4 starts at middle C.
    gain
        Level in dB relative to the other parts.
    rate
        Notes, chords or strokes per beat.
    chance
        Share of the style's passages that have the part, 0 to 1.
    """

    role: str
    instruments: tuple[str, ...]
    octave: int = 4
    gain: float = 0.0
    rate: float = 1.0
    chance: float = 1.0


def _accent(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.65, 1.0))


def _motif(rate: float, rng: np.random.Generator) -> list[tuple[float, float, int]]:
    """Two bars of melody: (beat, beats, steps from the chord's root)."""
    events, beat, degree = [], 0.0, int(rng.integers(0, 5))
    while beat < 8.0:
        length = min(float(rng.choice([1.0, 1.0, 2.0, 3.0])) / rate, 8.0 - beat)
        if rng.random() > 0.12:
            events.append((beat, length, degree))
        degree = int(np.clip(degree + rng.integers(-2, 3), -2, 6))
        beat += length
    return events


def melody(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Melody in phrases of two bars: a, a, b, a over the chords."""
    first, second = _motif(part.rate, rng), _motif(part.rate, rng)
    notes = []
    for phrase in range(-(-song.bars // 2)):
        shift = song.chord(2 * phrase) % 3
        for beat, length, degree in second if phrase % 4 == 2 else first:
            start = (8.0 * phrase + beat) * song.beat
            pitch = song.pitch(degree + shift, part.octave)
            notes.append(Note(start, 0.92 * length * song.beat, pitch, _accent(rng)))
    return notes


def arpeggio(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Broken chords, up and down over two octaves."""
    degrees = (0, 2, 4, 7, 9, 7, 4, 2)
    offset = int(rng.integers(0, len(degrees)))
    step = song.beat / part.rate
    notes = []
    for index in range(int(song.seconds / step)):
        chord = song.chord(int(index / part.rate) // 4)
        degree = chord + degrees[(index + offset) % len(degrees)]
        pitch = song.pitch(degree, part.octave)
        notes.append(Note(index * step, 0.9 * step, pitch, _accent(rng)))
    return notes


def runs(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Fast scales that change direction at random, with occasional rests."""
    step = song.beat / part.rate
    degree, direction, notes = int(rng.integers(0, 7)), 1, []
    for index in range(int(song.seconds / step)):
        if rng.random() < 0.15 or not -2 <= degree + direction <= 12:
            direction = -direction
        degree += direction
        if rng.random() > 0.08:
            pitch = song.pitch(degree, part.octave)
            notes.append(Note(index * step, 0.9 * step, pitch, _accent(rng)))
    return notes


def chords(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Block chords of four notes, `rate` per beat (0.25: one per bar)."""
    step = song.beat / part.rate
    notes = []
    for index in range(int(np.ceil(song.seconds / step))):
        chord = song.chord(int(index / part.rate) // 4)
        for degree in (0, 2, 4, 7):
            pitch = song.pitch(chord + degree, part.octave)
            notes.append(Note(index * step, 0.97 * step, pitch, _accent(rng)))
    return notes


def offbeats(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Short chords between the beats."""
    return [
        Note(start, 0.4 * song.beat, song.pitch(song.chord(beat // 4) + degree, part.octave), 0.8)
        for beat in range(int(song.seconds / song.beat))
        if rng.random() > 0.15
        for start in [(beat + 0.5) * song.beat]
        for degree in (0, 2, 4)
    ]


def strum(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Chords of five strings, strummed down and up in eighths."""
    pattern = str(rng.choice(["D.DU.UDU", "D.DUD.DU", "D.D.DUDU"]))
    notes = []
    for eighth in range(int(song.seconds / (0.5 * song.beat))):
        stroke = pattern[eighth % 8]
        if stroke == ".":
            continue
        degrees = (0, 2, 4, 7, 9) if stroke == "D" else (9, 7, 4)
        for string, degree in enumerate(degrees):
            start = 0.5 * eighth * song.beat + 0.012 * string
            pitch = song.pitch(song.chord(eighth // 8) + degree, part.octave)
            notes.append(Note(start, song.beat, pitch, _accent(rng)))
    return notes


def chug(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Power chords, muted between the accents."""
    step = song.beat / part.rate
    notes = []
    for index in range(int(song.seconds / step)):
        accent = index % 4 == 0 or rng.random() < 0.2
        root = song.pitch(song.chord(int(index / part.rate) // 4), part.octave)
        length = 0.95 * step if accent else 0.5 * step
        for interval in (0, 7, 12):
            notes.append(Note(index * step, length, root + interval, 1.0 if accent else 0.7))
    return notes


def bass(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Roots, sometimes the fifth, `rate` per beat."""
    step = song.beat / part.rate
    notes = []
    for index in range(int(song.seconds / step)):
        fifth = 4 if index % 2 and rng.random() < 0.4 else 0
        pitch = song.pitch(song.chord(int(index / part.rate) // 4) + fifth, part.octave)
        notes.append(Note(index * step, 0.85 * step, pitch, _accent(rng)))
    return notes


def walk(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Bass line with a step or a chord note on every beat."""
    notes, degree = [], 0
    for beat in range(int(song.seconds / song.beat)):
        degree = song.chord(beat // 4) if beat % 4 == 0 else degree + int(rng.choice([-1, 1, 2]))
        pitch = song.pitch(int(np.clip(degree, -3, 9)), part.octave)
        notes.append(Note(beat * song.beat, 0.95 * song.beat, pitch, _accent(rng)))
    return notes


def drone(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Root, fifth and octave, repeated, `rate` per beat."""
    step = song.beat / part.rate
    intervals = (0, 7, 12)
    return [
        Note(i * step, 1.1 * step, song.pitch(0, part.octave) + intervals[i % 3], _accent(rng))
        for i in range(int(np.ceil(song.seconds / step)))
    ]


def scatter(song: Song, part: Part, rng: np.random.Generator) -> list[Note]:
    """Single notes at random times, over three octaves, `rate` per beat on average."""
    count = round(part.rate * song.seconds / song.beat)
    starts = np.sort(rng.uniform(0.0, song.seconds, count))
    pitches = 12 * (part.octave + 1) + rng.integers(0, 36, count)
    lengths = rng.uniform(0.15, 1.8, count)
    return [
        Note(float(start), float(seconds), float(pitch), _accent(rng))
        for start, seconds, pitch in zip(starts, lengths, pitches, strict=True)
    ]


ROLES: dict[str, Callable[[Song, Part, np.random.Generator], list[Note]]] = {
    role.__name__: role
    for role in (
        melody,
        arpeggio,
        runs,
        chords,
        offbeats,
        strum,
        chug,
        bass,
        walk,
        drone,
        scatter,
    )
}


def drum_part(song: Song, pattern: str, *, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Waveform of the drums.

    Parameters
    ----------
    song
        Song whose tempo and length are used.
    pattern
        A key of `autotagging.demo.percussion.PATTERNS`; ``"swing"`` delays the off-beats.
    samples
        Length in samples.
    rng
        Generator of the drum sounds and of the drummer's inaccuracy.

    Returns
    -------
    waveform
        (samples,)
    """
    part = np.zeros(samples)
    step = song.beat / 4.0
    late = 0.66 * step if pattern == "swing" else 0.0
    for drum, strokes in PATTERNS[pattern].items():
        sound = DRUMS[drum](rng=rng)
        for index in range(int(song.seconds / step)):
            stroke = strokes[index % 16]
            if stroke == ".":
                continue
            start = index * step + (late if index % 4 == 2 else 0.0) + rng.normal(0.0, 0.002)
            first = max(0, round(start * SAMPLE_RATE))
            heard = sound[: max(0, samples - first)]
            velocity = (1.0 if stroke == "X" else 0.55) * rng.uniform(0.85, 1.0)
            part[first : first + len(heard)] += velocity * heard
    return part
