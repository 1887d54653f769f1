"""Mean and standard deviation over the seeds of a model, for tables and figures (sec. III)."""

import numpy as np
import pandas as pd


def over_seeds(values: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Mean and sample standard deviation (n - 1) of each row, over the seeds that have a number.

    Parameters
    ----------
    values : (rows, seeds)
        A column per seed; NaN where a seed has no number (undefined, or its training has ended).

    Returns
    -------
    mean : (rows,)
    std : (rows,)
        In the unit of the values; NaN of fewer than two numbers, exactly 0 of equal ones.
    """
    mean, std = values.mean(axis=1), values.std(axis=1)
    # Rounding in the sum must not make equal numbers, as of a model that knows no seed, differ.
    equal = values.nunique(axis=1) == 1
    return mean.mask(equal, values.max(axis=1)), std.mask(equal & std.notna(), 0.0)


def plus_minus(std: float) -> str:
    """Write a standard deviation behind its mean: " ± 0.004", " ± 0" if exactly 0, else nothing.

    Parameters
    ----------
    std
        From `over_seeds`; NaN gives an empty text.
    """
    if np.isnan(std):
        return ""
    return " ± 0" if std == 0 else f" ± {std:.3f}"
