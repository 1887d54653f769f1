"""Counts of parameters and operations, and cited numbers, as texts for readers."""

import pandas as pd

UNKNOWN = "-"


def whole(count: int | None) -> str:
    """Write a count with separators, such as "394,290"; `UNKNOWN` if it is missing."""
    return UNKNOWN if pd.isna(count) else f"{int(count):,}"


def as_published(number: float | None) -> str:
    """Write a cited number with the digits that it has; `UNKNOWN` if it is missing."""
    return UNKNOWN if pd.isna(number) else f"{number:g}"


def millions(count: int | None) -> str:
    """Write a count in millions, of three digits or to the next million; `UNKNOWN` if missing."""
    if pd.isna(count):
        return UNKNOWN
    value = count / 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
