"""Tables for readers in which every model has its columns."""

import pandas as pd


def side_by_side(
    table: pd.DataFrame, keys: list[str], values: tuple[str, ...], *, of: str = "model"
) -> pd.DataFrame:
    """Give each value of each model a column, with its deviation and limits, for readers.

    Parameters
    ----------
    table
        A row for each of the keys and models, in any order; of a key column that is not the first,
        what the first model has is shown.
    keys, values
        Names of columns; a value may have those of `averaging.summarise`, too.
    of
        The column of the models.

    Returns
    -------
    table
        The keys, then "<model> <value>" for each value, and each model.
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
