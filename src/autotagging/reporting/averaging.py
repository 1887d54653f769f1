"""Mean and standard deviation over the seeds of a model, for tables and figures (sec. III)."""

from collections.abc import Sequence

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
    # Rounding in the sum must not make equal numbers differ: some models know no seed.
    equal = values.nunique(axis=1) == 1
    return mean.mask(equal, values.max(axis=1)), std.mask(equal & std.notna(), 0.0)


def summarise(rows: pd.DataFrame, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Take rows that differ in their seed only together.

    Parameters
    ----------
    rows
        The columns below, and more; limits as <value>_low and <value>_high, where there are any.
    by
        Columns that are the same for all seeds.
    values
        Columns of numbers.

    Returns
    -------
    table
        A row for each of `by`, in the order in which they come; then of each value the mean,
        <value>_std (see `over_seeds`), and <value>_low and <value>_high: the means of the limits,
        NaN without any.
    """
    groups = [group for _, group in rows.groupby([*by], sort=False, dropna=False)]
    table = rows.drop_duplicates([*by])[[*by]].reset_index(drop=True)
    for name in values:
        of_group = [group[name].astype(float).reset_index(drop=True) for group in groups]
        seeds = pd.concat(of_group, axis=1).T.reset_index(drop=True)
        table[name], table[f"{name}_std"] = over_seeds(seeds)
        for side in (f"{name}_low", f"{name}_high"):
            table[side] = [group[side].mean() if side in group else np.nan for group in groups]
    return table


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
