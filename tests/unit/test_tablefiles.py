import base64
import re

import numpy as np
import pandas as pd

from autotagging.tablefiles import save_table


def test_precision_is_kept_in_csv_and_numbers_are_rounded_for_readers(tmp_path):
    table = pd.DataFrame(
        {
            "method": ["a|b", "c"],
            "auc": [2 / 3, 0.5],
            "auc_std": [0.0123456, np.nan],
            "auc_low": [0.6, np.nan],
            "auc_high": [0.7, np.nan],
            "unused": ["", ""],
        }
    )
    csv, md, html, tex = (tmp_path / f"t.{suffix}" for suffix in ("csv", "md", "html", "tex"))
    save_table(table, csv, md, html, tex, caption="Table 9. 100 % numbers.")
    assert pd.read_csv(csv)["auc"][0] == 2 / 3
    assert md.read_text() == (
        "Table 9. 100 % numbers.\n\n"
        "| method | auc |\n"
        "| --- | ---: |\n"
        "| a\\|b | 0.667 ± 0.012 [0.600,\N{NO-BREAK SPACE}0.700] |\n"
        "| c | 0.500 |\n"
    )
    page = html.read_text()
    assert "Table 9. 100 % numbers." in page
    assert re.findall("<td.*?>(.*?)</td>", page) == [
        *("a|b", "0.667 ± 0.012 [0.600,\N{NO-BREAK SPACE}0.700]", "c", "0.500"),
    ]
    (held,) = re.findall('href="data:text/csv;base64,(.*?)" download="t.csv"', page)
    assert base64.b64decode(held) == csv.read_bytes()
    latex = tex.read_text()
    assert r"\caption{100 \% numbers.}" in latex  # LaTeX has numbers of its own
    assert r"a|b & 0.667 \(\pm\) 0.012 [0.600,~0.700] \\" in latex


def test_parts_are_tables_of_their_own_below_one_caption(tmp_path):
    rows = pd.DataFrame({"source": ["here", "cited"], "auc": [0.8, 0.9], "name": "a_b & c^2"})
    files = {suffix: tmp_path / f"t.{suffix}" for suffix in ("csv", "md", "html", "tex")}
    parts = {source: part.drop(columns="source") for source, part in rows.groupby("source")}
    save_table(rows, **files, caption="Both.", parts=parts)
    assert len(pd.read_csv(files["csv"])) == 2
    text = files["md"].read_text()
    assert text.index("\ncited\n") < text.index("| 0.900 |") < text.index("\nhere\n")
    assert re.findall("<h2>(.*?)</h2>", files["html"].read_text()) == ["cited", "here"]
    latex = files["tex"].read_text()
    assert latex.count(r"\begin{table}") == 2
    assert r"\caption{cited. Both.}" in latex
    assert r"0.900 & a\_b \& c\textasciicircum{}2 \\" in latex


def test_a_long_table_goes_over_pages_in_latex(tmp_path):
    files = {suffix: tmp_path / f"t.{suffix}" for suffix in ("csv", "md", "html", "tex")}
    save_table(pd.DataFrame({"rank": range(60)}), **files, caption="Ranks.")
    assert r"\begin{longtable}" in files["tex"].read_text()
