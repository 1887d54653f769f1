"""Numbers of things in messages."""


def counted(count: int, one: str, several: str = "") -> str:
    """Write a number with its noun: "1 clip", "2 clips".

    Parameters
    ----------
    count
        Number.
    one
        Noun in the singular.
    several
        Noun in the plural; by default the singular with an s.
    """
    return f"{count} {one if count == 1 else several or f'{one}s'}"
