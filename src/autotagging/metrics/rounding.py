"""Numbers as they are written: the same on every processor.

Sums of counts are exact, and other sums have a fixed order. The logarithms of the loss come from
the C library, which computes them differently on different processors, up to the 16th digit.
"""

from typing import Any

import numpy as np
import pandas as pd

_DIGITS = 12


def rounded(content: Any) -> Any:
    """Round all numbers in a dictionary, list or table to 12 significant digits.

    Numbers of NumPy become Python's, which JSON can hold.
    """
    if isinstance(content, pd.DataFrame):
        return content.map(rounded)
    if isinstance(content, dict):
        return {name: rounded(value) for name, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    if isinstance(content, np.generic):
        content = content.item()
    return float(f"{content:.{_DIGITS}g}") if isinstance(content, float) else content
