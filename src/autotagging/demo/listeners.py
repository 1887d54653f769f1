"""The listeners of the demo corpus: which raw tags they give a clip.

They judge by what sounds in the clip. Like players of TagATune, they use several spellings of a
concept, omit many tags that apply, and sometimes give wrong tags.
"""

from collections.abc import Iterable

import numpy as np

from autotagging.corpus.raw_tags import RAW_TAGS

# Raw tags of each concept, with relative frequencies; other concepts have one spelling.
SPELLINGS: dict[str, dict[str, float]] = {
    "guitar": {"guitar": 8, "guitars": 1},
    "beat": {"beat": 3, "beats": 2},
    "chant": {"chant": 3, "chanting": 2},
    "choir": {"choir": 3, "choral": 2},
    "classical": {"classical": 8, "classic": 2, "clasical": 0.3},
    "drum": {"drums": 5, "drum": 2},
    "electro": {"electronic": 5, "electro": 2, "electronica": 1.5, "electric": 1},
    "fast": {"fast": 8, "fast beat": 1, "quick": 0.5},
    "female": {
        "female": 4,
        "woman": 3,
        "female vocal": 2,
        "female voice": 2,
        "female vocals": 1.5,
        "female singer": 1,
        "woman singing": 1,
        "female singing": 0.5,
        "women": 0.5,
    },
    "male": {
        "male": 4,
        "male vocal": 3,
        "man": 2.5,
        "male voice": 2,
        "male vocals": 1.5,
        "male singer": 1,
        "man singing": 1,
        "men": 0.5,
    },
    "flute": {"flute": 8, "flutes": 1},
    "hard": {"hard rock": 3, "hard": 2},
    "harpsichord": {"harpsichord": 4, "harpsicord": 1},
    "heavy": {"metal": 4, "heavy": 2, "heavy metal": 1.5},
    "horn": {"horn": 1, "horns": 1},
    "india": {"indian": 6, "india": 2},
    "jazz": {"jazz": 4, "jazzy": 2},
    "no beat": {"no drums": 2, "no beat": 2},
    "no singer": {
        "no vocals": 4,
        "no vocal": 3,
        "no voice": 2,
        "instrumental": 2,
        "no singing": 1,
        "no singer": 0.5,
        "no voices": 0.5,
    },
    "opera": {"opera": 8, "operatic": 1},
    "orchestra": {"orchestra": 3, "orchestral": 1},
    "quiet": {"quiet": 8, "silence": 1},
    "singer": {"singing": 5, "singer": 1},
    "space": {"space": 1, "spacey": 1},
    "string": {"strings": 5, "string": 1},
    "synth": {"synth": 6, "synthesizer": 1},
    "violin": {"violin": 4, "violins": 1},
    "vocal": {"vocal": 4, "vocals": 3, "voice": 2, "voices": 1},
    "strange": {"weird": 3, "strange": 2},
}

# Concepts that listeners name for an instrument, with probabilities.
_WOMAN = {"female": 0.85, "vocal": 0.6, "singer": 0.5}
_MAN = {"male": 0.85, "vocal": 0.6, "singer": 0.5}
INSTRUMENT_TAGS: dict[str, dict[str, float]] = {
    "guitar": {"guitar": 0.8},
    "steel guitar": {"guitar": 0.55},
    "electric guitar": {"guitar": 0.6},
    "metal guitar": {"guitar": 0.35},
    "harp": {"harp": 0.9},
    "choir": {"choir": 0.8},
    "harpsichord": {"harpsichord": 0.9},
    "sitar": {"sitar": 0.92},
    "piano": {"piano": 0.75},
    "violin": {"violin": 0.75},
    "cello": {"cello": 0.8},
    "string section": {"string": 0.6},
    "brass section": {"horn": 0.06},
    "flute": {"flute": 0.8},
    "woman": _WOMAN,
    "man": _MAN,
    "soprano": _WOMAN,
    "tenor": _MAN,
    "pad": {"synth": 0.2},
    "saw pad": {"synth": 0.3},
    "acid synth": {"synth": 0.3},
}
VOICES = frozenset({"woman", "man", "soprano", "tenor", "choir", "monks"})
NO_VOICE_TAGS = {"no singer": 0.05}

# Tags for tempo (beats per minute) and level (dB re full scale): lowest, highest, probability.
TEMPO_TAGS = {"slow": (0, 66, 0.7), "fast": (126, 999, 0.65)}
LEVEL_TAGS = {"loud": (-12, 0, 0.75), "quiet": (-99, -30, 0.7), "soft": (-99, -26, 0.45)}

UNTAGGED = 0.05
SECOND_SPELLING = 0.2
FALSE_TAGS = 0.15


def chances(
    style_tags: dict[str, float], instruments: Iterable[str], tempo: float, level: float
) -> dict[str, float]:
    """Probability of each concept for a piece.

    Parameters
    ----------
    style_tags
        Concepts of the style, with probabilities.
    instruments
        Instruments of the piece; those not in `INSTRUMENT_TAGS` add no concept.
    tempo
        Tempo in beats per minute.
    level
        Level as RMS in dB re full scale.

    Returns
    -------
    chances
        Probability by concept; the highest one if several reasons name a concept.
    """
    heard = list(instruments)
    reasons = [style_tags, *(INSTRUMENT_TAGS.get(name, {}) for name in heard)]
    for value, table in ((tempo, TEMPO_TAGS), (level, LEVEL_TAGS)):
        reasons.append({tag: p for tag, (low, high, p) in table.items() if low <= value <= high})
    if not VOICES.intersection(heard):
        reasons.append(NO_VOICE_TAGS)
    strongest: dict[str, float] = {}
    for reason in reasons:
        for concept, chance in reason.items():
            strongest[concept] = max(chance, strongest.get(concept, 0.0))
    return strongest


def listen(chances: dict[str, float], *, rng: np.random.Generator) -> frozenset[str]:
    """Draw the raw tags that listeners give one clip.

    Parameters
    ----------
    chances
        Probability by concept.
    rng
        Generator of the named concepts, the spellings and the wrong tags.

    Returns
    -------
    tags
        Tags of `autotagging.corpus.raw_tags.RAW_TAGS`; empty for one clip in twenty.
    """
    if rng.random() < UNTAGGED:
        return frozenset()
    given = set()
    for concept, chance in chances.items():
        if rng.random() >= chance:
            continue
        spellings = SPELLINGS.get(concept, {concept: 1.0})
        weights = np.array(list(spellings.values()))
        count = 2 if len(spellings) > 1 and rng.random() < SECOND_SPELLING else 1
        given.update(
            rng.choice(list(spellings), count, replace=False, p=weights / weights.sum()).tolist()
        )
    if rng.random() < FALSE_TAGS:
        given.add(str(rng.choice(RAW_TAGS)))
    return frozenset(given)
