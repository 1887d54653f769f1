"""Mean and standard deviation over the seeds of a model (sec. III)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def over_seeds(values: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Mean and sample standard deviation (n - 1) of each row, over the defined seeds.

    Parameters
    ----------
    values : (rows, seeds)
        A column per seed; NaN where a seed is undefined or its training has ended.

    Returns
    -------
    mean : (rows,)
    std : (rows,)
        In the unit of the values; NaN for fewer than two numbers, exactly 0 for equal ones.
    """
    mean, std = values.mean(axis=1), values.std(axis=1)
    # Models without randomness give equal numbers, which rounding in the sum must not change.
    equal = values.nunique(axis=1) == 1
    return mean.mask(equal, values.max(axis=1)), std.mask(equal & std.notna(), 0.0)


def summarise(rows: pd.DataFrame, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Average rows that differ only in their seed.

    Parameters
    ----------
    rows
        Table with the columns below; may have limits as <value>_low and <value>_high.
    by
        Columns that are the same for all seeds.
    values
        Columns of numbers.

    Returns
    -------
    table
        A row for each combination of `by`, in the order of `rows`; for each value its mean,
        <value>_std (see `over_seeds`), and <value>_low and <value>_high: mean limits, or NaN.
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
    """Format a standard deviation to follow its mean: " ± 0.004", or " ± 0" if exactly 0.

    Parameters
    ----------
    std
        Result of `over_seeds`; NaN gives an empty text.
    """
    if np.isnan(std):
        return ""
    return " ± 0" if std == 0 else f" ± {std:.3f}"
