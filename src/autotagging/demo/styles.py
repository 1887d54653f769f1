"""The styles of the demo corpus as a table: instruments, tempo, level and tags.

The tags are concepts; `autotagging.demo.listeners` has their spellings.
"""

from dataclasses import dataclass

from autotagging.demo.composition import Part


@dataclass(frozen=True)
class Style:
    """A style of music.

    Attributes
    ----------
    weight
        Share of the corpus, relative to the other styles.
    tempo
        Range in beats per minute.
    level
        Range of the RMS in dB re full scale.
    scales
        Keys of `autotagging.demo.composition.SCALES`, of which a track uses one.
    parts
        Parts of a piece.
    tags
        Probability that a listener names a concept, by concept.
    drums
        Keys of `autotagging.demo.percussion.PATTERNS`, of which a passage uses one; empty:
        no drums.
    drum_gain
        Level of the drums in dB relative to the other parts.
    room
        Reverberation time in seconds, and its energy relative to the direct sound.
    """

    weight: float
    tempo: tuple[float, float]
    level: tuple[float, float]
    scales: tuple[str, ...]
    parts: tuple[Part, ...]
    tags: dict[str, float]
    drums: tuple[str, ...] = ()
    drum_gain: float = 0.0
    room: tuple[float, float] = (0.8, 0.1)


STYLES: dict[str, Style] = {
    "techno": Style(
        weight=11,
        tempo=(128, 142),
        level=(-15, -12.5),
        scales=("minor",),
        parts=(
            Part("runs", ("acid synth",), octave=2, rate=4),
            Part("offbeats", ("stab",), octave=4, gain=-5, chance=0.7),
        ),
        drums=("techno",),
        drum_gain=4,
        tags={"techno": 0.92, "electro": 0.7, "beat": 0.5, "drum": 0.3, "dance": 0.45}
        | {"synth": 0.5, "trance": 0.4, "no singer": 0.15, "repetitive": 0.06, "upbeat": 0.04},
    ),
    "trance": Style(
        weight=11,
        tempo=(132, 144),
        level=(-17, -14.5),
        scales=("minor",),
        parts=(
            Part("arpeggio", ("supersaw",), octave=4, rate=4),
            Part("chords", ("saw pad",), octave=3, gain=-4, rate=0.25),
            Part("bass", ("sub bass",), octave=1, rate=2),
        ),
        drums=("four_on_the_floor",),
        tags={"trance": 0.9, "techno": 0.65, "electro": 0.65, "dance": 0.5, "synth": 0.75}
        | {"beat": 0.35, "no singer": 0.15, "house": 0.05},
        room=(1.6, 0.2),
    ),
    "dance pop": Style(
        weight=10,
        tempo=(116, 126),
        level=(-15, -12.5),
        scales=("minor", "major"),
        parts=(
            Part("melody", ("woman",), octave=4, gain=7, rate=2),
            Part("offbeats", ("stab",), octave=4, gain=-3),
            Part("bass", ("sub bass",), octave=1, rate=2, gain=-1),
        ),
        drums=("four_on_the_floor",),
        tags={"dance": 0.75, "pop": 0.6, "electro": 0.55, "beat": 0.55, "drum": 0.3, "techno": 0.3}
        | {"synth": 0.3, "disco": 0.06},
    ),
    "rock": Style(
        weight=12,
        tempo=(108, 122),
        level=(-12, -10),
        scales=("mixolydian", "minor"),
        parts=(
            Part("strum", ("electric guitar",), octave=3),
            Part("bass", ("bass guitar",), octave=1, rate=2, gain=-2),
            Part("melody", ("man",), octave=4, gain=6, rate=2, chance=0.75),
        ),
        drums=("rock",),
        drum_gain=1,
        tags={"rock": 0.92, "drum": 0.65, "hard": 0.6, "heavy": 0.4, "punk": 0.05}
        | {"electric guitar": 0.06, "pop": 0.15},
    ),
    "metal": Style(
        weight=11,
        tempo=(140, 176),
        level=(-11, -9),
        scales=("minor",),
        parts=(
            Part("chug", ("metal guitar",), octave=2, rate=4, gain=3),
            Part("bass", ("bass guitar",), octave=1, rate=4, gain=-5),
            Part("runs", ("electric guitar",), octave=4, rate=4, gain=-4, chance=0.3),
        ),
        drums=("double_kick",),
        tags={"heavy": 0.9, "hard": 0.85, "rock": 0.75, "guitar": 0.5}
        | {"drum": 0.6, "industrial": 0.05},
    ),
    "ballad": Style(
        weight=10,
        tempo=(54, 66),
        level=(-19, -16),
        scales=("major",),
        parts=(
            Part("chords", ("piano",), octave=3, rate=0.5),
            Part("melody", ("woman", "woman", "man"), octave=4, gain=6, rate=1),
            Part("chords", ("string section",), octave=4, gain=-9, rate=0.25, chance=0.5),
            Part("bass", ("bass guitar",), octave=1, rate=0.5, gain=-3),
        ),
        drums=("ballad",),
        drum_gain=-5,
        tags={"pop": 0.9, "soft": 0.12, "sad": 0.05, "mellow": 0.05},
        room=(1.4, 0.15),
    ),
    "country": Style(
        weight=11,
        tempo=(104, 128),
        level=(-19, -16),
        scales=("major", "pentatonic"),
        parts=(
            Part("arpeggio", ("steel guitar",), octave=3, rate=2),
            Part("arpeggio", ("banjo",), octave=4, rate=4, gain=-3, chance=0.75),
            Part("bass", ("double bass",), octave=1, rate=1),
            Part("melody", ("man",), octave=4, gain=6, rate=2, chance=0.6),
        ),
        drums=("train",),
        drum_gain=-7,
        tags={"country": 0.92, "guitar": 0.7, "folk": 0.5, "banjo": 0.06}
        | {"upbeat": 0.04, "blues": 0.04},
        room=(0.4, 0.06),
    ),
    "folk": Style(
        weight=10,
        tempo=(84, 108),
        level=(-24, -21),
        scales=("dorian", "major"),
        parts=(
            Part("arpeggio", ("guitar",), octave=3, rate=2),
            Part("melody", ("woman",), octave=4, gain=4, rate=2, chance=0.7),
        ),
        tags={"folk": 0.92, "guitar": 0.75, "no piano": 0.35, "country": 0.45}
        | {"acoustic guitar": 0.06, "acoustic": 0.05, "irish": 0.05, "celtic": 0.04},
        room=(0.5, 0.06),
    ),
    "jazz": Style(
        weight=14,
        tempo=(96, 124),
        level=(-21, -18),
        scales=("dorian", "mixolydian"),
        parts=(
            Part("melody", ("piano",), octave=4, rate=2),
            Part("offbeats", ("piano",), octave=3, gain=-5),
            Part("walk", ("double bass",), octave=1, gain=2),
        ),
        drums=("swing",),
        drum_gain=-3,
        tags={"jazz": 0.95, "bass": 0.6, "drum": 0.55, "funky": 0.04, "blues": 0.05},
        room=(0.5, 0.08),
    ),
    "piano solo": Style(
        weight=10,
        tempo=(72, 104),
        level=(-29, -26),
        scales=("major", "minor"),
        parts=(
            Part("arpeggio", ("piano",), octave=3, rate=2, gain=-3),
            Part("melody", ("piano",), octave=5, rate=1),
        ),
        tags={"classical": 0.75, "solo": 0.7, "jazz": 0.15, "no singer": 0.4}
        | {"piano solo": 0.05, "calm": 0.04},
        room=(1.2, 0.12),
    ),
    "harpsichord": Style(
        weight=11,
        tempo=(126, 144),
        level=(-22, -19),
        scales=("major", "minor"),
        parts=(
            Part("runs", ("harpsichord",), octave=4, rate=4),
            Part("arpeggio", ("harpsichord",), octave=3, rate=2, gain=-3),
        ),
        tags={"baroque": 0.7, "classical": 0.75, "solo": 0.15, "no piano": 0.5}
        | {"medieval": 0.05, "not rock": 0.03},
        room=(1.0, 0.08),
    ),
    "chamber": Style(
        weight=11,
        tempo=(88, 126),
        level=(-21, -18),
        scales=("major", "minor"),
        parts=(
            Part("melody", ("violin",), octave=5, rate=2, gain=3),
            Part("runs", ("violin",), octave=4, rate=2, gain=-3, chance=0.6),
            Part("bass", ("cello",), octave=2, rate=1, chance=0.8, gain=-1),
            Part("offbeats", ("harpsichord",), octave=4, gain=0, chance=0.5),
        ),
        tags={"classical": 0.8, "baroque": 0.6, "string": 0.7, "no guitar": 0.04, "viola": 0.05},
        room=(1.5, 0.15),
    ),
    "solo cello": Style(
        weight=11,
        tempo=(52, 66),
        level=(-25, -22),
        scales=("minor",),
        parts=(Part("melody", ("cello",), octave=3, rate=1),),
        tags={"classical": 0.75, "solo": 0.7, "string": 0.65, "no piano": 0.2, "no singer": 0.4}
        | {"sad": 0.05, "low": 0.04, "dark": 0.04},
        room=(1.6, 0.15),
    ),
    "orchestra": Style(
        weight=11,
        tempo=(80, 120),
        level=(-16, -13),
        scales=("minor", "major"),
        parts=(
            Part("chords", ("string section",), octave=3, rate=0.25),
            Part("melody", ("string section",), octave=5, rate=1, gain=2),
            Part("offbeats", ("brass section",), octave=3, gain=-2, chance=0.7),
            Part("bass", ("cello",), octave=2, rate=0.5, gain=-4),
            Part("arpeggio", ("harp",), octave=4, rate=3, gain=3, chance=0.3),
        ),
        tags={"orchestra": 0.92, "classical": 0.8, "string": 0.7, "trumpet": 0.04},
        room=(2.2, 0.4),
    ),
    "opera": Style(
        weight=13,
        tempo=(70, 88),
        level=(-20, -16),
        scales=("major", "minor"),
        parts=(
            Part("melody", ("soprano", "tenor"), octave=4, gain=6, rate=1),
            Part("chords", ("string section",), octave=3, gain=-3, rate=0.25),
            Part("chords", ("choir",), octave=4, gain=-2, rate=0.25, chance=0.4),
        ),
        tags={"opera": 0.92, "classical": 0.6, "foreign": 0.15}
        | {"orchestra": 0.4, "female opera": 0.03},
        room=(2.0, 0.3),
    ),
    "choir": Style(
        weight=11,
        tempo=(52, 66),
        level=(-22, -18),
        scales=("major", "dorian"),
        parts=(
            Part("chords", ("choir",), octave=3, rate=0.5),
            Part("melody", ("choir",), octave=5, rate=1, gain=-2),
            Part("chords", ("organ",), octave=3, gain=-12, rate=0.25, chance=0.4),
        ),
        tags={"choir": 0.92, "vocal": 0.65, "classical": 0.15, "no beat": 0.3, "female": 0.35}
        | {"opera": 0.25, "chant": 0.4, "chorus": 0.05, "organ": 0.03},
        room=(3.0, 0.7),
    ),
    "chant": Style(
        weight=12,
        tempo=(50, 64),
        level=(-24, -20),
        scales=("dorian",),
        parts=(
            Part("melody", ("monks",), octave=2, rate=1),
            Part("drone", ("monks",), octave=2, rate=0.25, gain=-8),
        ),
        tags={"chant": 0.92, "vocal": 0.6, "male": 0.7, "foreign": 0.4, "no beat": 0.35}
        | {"choir": 0.45, "monks": 0.05, "medieval": 0.04},
        room=(4.0, 1.0),
    ),
    "raga": Style(
        weight=13,
        tempo=(84, 116),
        level=(-21, -17),
        scales=("bhairav",),
        parts=(
            Part("runs", ("sitar",), octave=4, rate=2, gain=2),
            Part("drone", ("tambura",), octave=2, rate=0.5, gain=-2),
        ),
        drums=("tabla",),
        drum_gain=-4,
        tags={"india": 0.88, "eastern": 0.7, "foreign": 0.4, "string": 0.25, "drum": 0.2}
        | {"world": 0.04, "oriental": 0.04},
        room=(0.9, 0.1),
    ),
    "harp": Style(
        weight=12,
        tempo=(72, 92),
        level=(-37, -32),
        scales=("major", "pentatonic"),
        parts=(
            Part("arpeggio", ("harp",), octave=4, rate=3),
            Part("melody", ("harp",), octave=5, rate=1, gain=1),
        ),
        tags={"string": 0.45, "classical": 0.2, "no piano": 0.5, "solo": 0.3}
        | {"no singer": 0.4, "calm": 0.03},
        room=(1.5, 0.15),
    ),
    "new age": Style(
        weight=12,
        tempo=(70, 84),
        level=(-29, -26),
        scales=("pentatonic",),
        parts=(
            Part("melody", ("flute",), octave=4, rate=1, gain=3),
            Part("chords", ("pad",), octave=3, rate=0.25),
            Part("arpeggio", ("bells", "harp"), octave=5, rate=2, gain=-1, chance=0.7),
        ),
        tags={"new age": 0.9, "ambient": 0.4, "no singer": 0.3, "bells": 0.04, "calm": 0.02}
        | {"mellow": 0.03, "wind": 0.04},
        room=(2.5, 0.5),
    ),
    "ambient": Style(
        weight=13,
        tempo=(50, 64),
        level=(-34, -30.5),
        scales=("pentatonic", "whole tone"),
        parts=(
            Part("chords", ("pad",), octave=3, rate=0.125),
            Part("drone", ("saw pad",), octave=2, rate=0.125, gain=-6),
        ),
        tags={"ambient": 0.92, "new age": 0.45, "synth": 0.5, "electro": 0.1, "no beat": 0.45}
        | {"no singer": 0.3, "drone": 0.05, "dark": 0.04, "space": 0.05},
        room=(4.0, 1.0),
    ),
    "strange": Style(
        weight=11,
        tempo=(70, 110),
        level=(-22, -15),
        scales=("chromatic",),
        parts=(
            Part("scatter", ("zap",), octave=4, rate=1.5),
            Part("scatter", ("gong",), octave=3, rate=0.6, gain=-1),
        ),
        tags={"strange": 0.92, "electro": 0.25, "modern": 0.5, "no beat": 0.4, "noise": 0.06}
        | {"different": 0.05, "scary": 0.04, "synth": 0.2},
        room=(1.5, 0.2),
    ),
    "modern": Style(
        weight=10,
        tempo=(76, 120),
        level=(-22, -17),
        scales=("chromatic",),
        parts=(
            Part("scatter", ("piano",), octave=3, rate=2.5, gain=3),
            Part("scatter", ("violin",), octave=5, rate=0.7),
        ),
        tags={"modern": 0.9, "strange": 0.5, "classical": 0.15, "eerie": 0.05, "scary": 0.04},
        room=(1.0, 0.1),
    ),
    "eastern song": Style(
        weight=11,
        tempo=(84, 108),
        level=(-20, -16),
        scales=("bhairav",),
        parts=(
            Part("melody", ("woman",), octave=4, gain=4, rate=2),
            Part("melody", ("flute",), octave=4, rate=2, gain=0, chance=0.7),
            Part("runs", ("sitar",), octave=3, rate=2, gain=0, chance=0.45),
        ),
        drums=("tabla",),
        drum_gain=1,
        tags={"foreign": 0.7, "eastern": 0.8, "drum": 0.6, "india": 0.4, "arabic": 0.05}
        | {"middle eastern": 0.05, "tribal": 0.04, "not english": 0.05},
        room=(0.8, 0.1),
    ),
    "dub": Style(
        weight=10,
        tempo=(70, 80),
        level=(-17, -14),
        scales=("minor",),
        parts=(
            Part("bass", ("sub bass",), octave=1, rate=1, gain=6),
            Part("offbeats", ("stab",), octave=4, gain=-5),
            Part("chords", ("pad",), octave=3, gain=-8, rate=0.125, chance=0.5),
        ),
        drums=("dub",),
        tags={"bass": 0.9, "beat": 0.65, "electro": 0.5, "drum": 0.5, "hip hop": 0.05}
        | {"reggae": 0.05, "synth": 0.15},
        room=(1.8, 0.25),
    ),
}
