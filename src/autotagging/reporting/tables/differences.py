"""Tables for readers of the differences between models (sec. III)."""

import pandas as pd

from autotagging.dataset.groups import INTERVAL_UNIT

_CLEAR = "*"


def against_first(table: pd.DataFrame) -> pd.DataFrame:
    """Compare every model with the first one, over all tags.

    Parameters
    ----------
    table
        Table from `metrics.differences.differences`.

    Returns
    -------
    table : (models - 1, ...)
        model, and for each metric its value and its difference from the first model with limits by
        artists, as <column>_low and _high, and whether zero is outside them ("yes" or "no").
    """
    rows = _of_first(table)
    shown = pd.DataFrame({"model": rows["second"].unique()}).set_index("model")
    for metric in rows["metric"].unique():
        of_metric = rows[(rows["metric"] == metric) & (rows["tags"] == "all")].set_index("second")
        shown[metric] = of_metric["second_value"]
        for part in ("", "_low", "_high"):
            shown[f"{metric}: difference{part}"] = of_metric[f"gain{part}"]
        shown[f"{metric}: clear"] = of_metric["clear"]
    return shown.reset_index()


def by_category(table: pd.DataFrame, *, minus_rest: bool = False) -> pd.DataFrame:
    """Give the differences in ROC-AUC of every model from the first one, by category of tags.

    Parameters
    ----------
    table
        See `against_first`.
    minus_rest
        Whether to subtract the difference of all other tags.

    Returns
    -------
    table : (models - 1, ...)
        model, and for each category the difference with its limits by artists.
    """
    rows = _of_first(table)
    rows = rows[(rows["metric"] == "ROC-AUC") & (rows["tags"] != "all")]
    value = "gain_minus_rest" if minus_rest else "gain"
    shown = pd.DataFrame({"model": rows["second"].unique()}).set_index("model")
    for category in rows["tags"].unique():
        of_category = rows[rows["tags"] == category].set_index("second")
        for part in ("", "_low", "_high"):
            shown[f"{category}{part}"] = of_category[f"{value}{part}"]
    return shown.reset_index()


def every_pair(table: pd.DataFrame) -> pd.DataFrame:
    """Give the difference in ROC-AUC over all tags of every pair: that of the row minus the column.

    Parameters
    ----------
    table
        See `against_first`.

    Returns
    -------
    table : (models, 1 + models)
        model, and a column of texts per model; a star where zero is outside the limits by artists.
    """
    rows = table[(table["metric"] == "ROC-AUC") & (table["tags"] == "all")]
    models = [*dict.fromkeys([*rows["first"], *rows["second"]])]
    shown = pd.DataFrame("", index=models, columns=models)
    for row in rows.to_dict("records"):
        star = _CLEAR if row["clear"] == "yes" else ""
        shown.loc[row["first"], row["second"]] = f"{row['difference']:+.3f}{star}"
        shown.loc[row["second"], row["first"]] = f"{-row['difference']:+.3f}{star}"
    return shown.rename_axis("model").reset_index()


def _of_first(table: pd.DataFrame) -> pd.DataFrame:
    """Choose the pairs with the first model; gains are those of the other model."""
    rows = table[table["first"] == table["first"].iloc[0]]
    return rows.assign(
        gain=-rows["difference"],
        gain_low=-rows[f"{INTERVAL_UNIT}_high"],
        gain_high=-rows[f"{INTERVAL_UNIT}_low"],
        gain_minus_rest=-rows["gain_minus_rest"],
        gain_minus_rest_low=-rows[f"gain_minus_rest_{INTERVAL_UNIT}_high"],
        gain_minus_rest_high=-rows[f"gain_minus_rest_{INTERVAL_UNIT}_low"],
    )
