"""Pieces of the demo corpus, drawn from a style, and their performance as waveforms."""

from dataclasses import dataclass

import numpy as np

from autotagging.demo import effects
from autotagging.demo.composition import PROGRESSIONS, ROLES, Part, Song, drum_part
from autotagging.demo.instruments import INSTRUMENTS, play
from autotagging.demo.listeners import chances
from autotagging.demo.styles import STYLES, Style
from autotagging.demo.synthesis import SAMPLE_RATE

# Level of added noise in dB re full scale, so that no clip contains digital silence.
NOISE_LEVEL = -72.0


@dataclass(frozen=True)
class Piece:
    """The music of a clip: a passage of a track, with its own instruments, tempo and level.

    Attributes
    ----------
    style
        A key of `autotagging.demo.styles.STYLES`.
    song
        Tempo, key, chords, length.
    parts
        The parts that play, each with its instrument.
    drums
        Pattern of the drums, or an empty string.
    level
        RMS in dB re full scale.
    """

    style: str
    song: Song
    parts: tuple[tuple[Part, str], ...]
    drums: str
    level: float

    def chances(self) -> dict[str, float]:
        """Probability that a listener names each concept; see `listeners.chances`."""
        instruments = [instrument for _, instrument in self.parts]
        return chances(STYLES[self.style].tags, instruments, self.song.tempo, self.level)


def compose(
    style_name: str, *, seconds: float, track: np.random.Generator, passage: np.random.Generator
) -> Piece:
    """Draw a piece of a style.

    Parameters
    ----------
    style_name
        A key of `autotagging.demo.styles.STYLES`.
    seconds
        Length of the passage.
    track
        Generator of what all passages of a track share: key and chords.
    passage
        Generator of what they don't: tempo, scale, parts, instruments, drums and level.

    Returns
    -------
    piece
    """
    style: Style = STYLES[style_name]
    song = Song(
        root=int(track.integers(-5, 6)),
        progression=PROGRESSIONS[track.integers(0, len(PROGRESSIONS))],
        tempo=float(passage.uniform(*style.tempo)),
        scale=str(passage.choice(style.scales)),
        seconds=seconds,
    )
    parts = tuple(
        (part, str(passage.choice(part.instruments)))
        for part in style.parts
        if passage.random() < part.chance
    )
    drums = str(passage.choice(style.drums)) if style.drums else ""
    return Piece(style_name, song, parts, drums, float(passage.uniform(*style.level)))


def perform(piece: Piece, *, rng: np.random.Generator) -> np.ndarray:
    """Play a passage of a piece.

    Parameters
    ----------
    piece
        Piece to play.
    rng
        Generator of the notes and the performance.

    Returns
    -------
    waveform
        (samples,) float32, 16 kHz, within -1 and 1; its RMS is near the level of the piece.
    """
    samples = round(piece.song.seconds * SAMPLE_RATE)
    style = STYLES[piece.style]
    mix = np.zeros(samples)
    for part, name in piece.parts:
        notes = ROLES[part.role](piece.song, part, rng)
        sound = play(notes, INSTRUMENTS[name], samples=samples, rng=rng)
        mix += effects.to_level(sound, part.gain)
    if piece.drums:
        drums = drum_part(piece.song, piece.drums, samples=samples, rng=rng)
        mix += effects.to_level(drums, style.drum_gain)
    seconds, energy = style.room
    mix = effects.room(mix, seconds=seconds, mix=energy, rng=rng)
    mix = effects.to_level(mix, piece.level + rng.uniform(-1.0, 1.0))
    mix += effects.to_level(rng.standard_normal(samples), NOISE_LEVEL)
    return effects.limit(mix).astype(np.float32)
