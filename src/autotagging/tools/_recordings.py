"""Recordings that MagnaTagATune lists again, on a compilation, under another artist."""

import re
import unicodedata

import pandas as pd

COMPILERS = ("Magnatune", "Magnatune Compilation", "Magnatune.com", "Various Artists")
"""Names in the column artist whose albums are by several artists; their titles name the artist."""


def recordings(clip_info: pd.DataFrame) -> pd.Series:
    """Name the recording that each clip is of: its artist and title, without case and punctuation.

    The title of a compilation's track names its artist, before or after its own title. Where these
    are artist and title of another track, it is that recording.

    Parameters
    ----------
    clip_info : (clips, ...)
        artist and title, as in clip_info_final.csv.

    Returns
    -------
    recording : (clips,)
        Indexed like `clip_info`.
    """
    artist, title = (clip_info[name].map(_letters) for name in ("artist", "title"))
    compiled = clip_info["artist"].isin(COMPILERS)
    names = artist + "\t" + title
    own = pd.DataFrame({"artist": artist, "title": title, "name": names})[~compiled]
    known = dict(zip(own["artist"] + own["title"], own["name"], strict=True))
    known |= dict(zip(own["title"] + own["artist"], own["name"], strict=True))
    return names.mask(compiled, title.map(known).fillna(names))


def count_compiled(clip_info: pd.DataFrame, recording: pd.Series) -> dict[str, int]:
    """Count compilations, their clips, and those that are of a recording on an artist's own album.

    Parameters
    ----------
    clip_info : (clips, ...)
        artist, album and title.
    recording : (clips,)
        Result of `recordings`.
    """
    compiled = clip_info["artist"].isin(COMPILERS)
    own = set(recording[~compiled])
    return {
        "compilations": len(clip_info.loc[compiled, ["artist", "album"]].drop_duplicates()),
        "compiled_clips": int(compiled.sum()),
        "compiled_again": int(recording[compiled].isin(own).sum()),
    }


def _letters(name: str) -> str:
    """Keep letters and digits of a name, in lower case and without accents."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", name).casefold())
