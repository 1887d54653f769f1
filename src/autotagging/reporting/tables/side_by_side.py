"""Tables for readers with columns, or with rows, for each model."""

import pandas as pd

MOST_SIDE_BY_SIDE = 4
"""Models that have columns of their own, with limits; a table of more has another form."""

_SUFFIXES = ("", "_std", "_low", "_high")


def side_by_side(
    table: pd.DataFrame, keys: list[str], values: tuple[str, ...], *, of: str = "model"
) -> pd.DataFrame:
    """Turn the rows of each model into columns: one per value, with its deviation and limits.

    Parameters
    ----------
    table
        A row per key and model, in any order. Key columns after the first are taken from the
        first model.
    keys, values
        Names of columns; a value may have further columns as in `averaging.summarise`.
    of
        Name of the column with the models.

    Returns
    -------
    table
        The keys, then "<model> <value>" for each value and model.
    """
    models = table[of].unique()
    wide = table.drop_duplicates(keys[0]).set_index(keys[0])[keys[1:]]
    for value in values:
        columns = [f"{value}{suffix}" for suffix in _SUFFIXES if f"{value}{suffix}" in table]
        for model in models:
            rows = table[table[of] == model].set_index(keys[0])
            wide = wide.join(rows[columns].add_prefix(f"{model} "))
    return wide.reset_index()


def one_below_another(
    table: pd.DataFrame, key: str, value: str, *, of: str = "model"
) -> pd.DataFrame:
    """Make a row per model, and a column for each key with a value's deviation and limits.

    Parameters
    ----------
    table
        A row per key and model, in any order.
    key, value
        Names of columns; the value may have further columns as in `averaging.summarise`.
    of
        Name of the column with the models.

    Returns
    -------
    table : (models, ...)
        The models; then for each key of which a model has a value, columns of its name, with the
        suffixes of the value's columns.
    """
    shown = pd.DataFrame({of: table[of].unique()})
    for name, rows in table.groupby(key, sort=False):
        if rows[value].notna().any():
            by_model = rows.set_index(of)
            for suffix in _SUFFIXES:
                if f"{value}{suffix}" in table:
                    shown[f"{name}{suffix}"] = shown[of].map(by_model[f"{value}{suffix}"])
    return shown
