"""Tables for readers with columns for each model."""

import pandas as pd


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
        names = [value, *(f"{value}_{suffix}" for suffix in ("std", "low", "high"))]
        columns = [name for name in names if name in table]
        for model in models:
            rows = table[table[of] == model].set_index(keys[0])
            wide = wide.join(rows[columns].add_prefix(f"{model} "))
    return wide.reset_index()
