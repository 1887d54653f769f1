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
            "unused": ["", ""],
        }
    )
    csv, md, html = (tmp_path / f"t.{suffix}" for suffix in ("csv", "md", "html"))
    save_table(table, csv, md, html, caption="Table 9. Numbers.")
    assert pd.read_csv(csv)["auc"][0] == 2 / 3
    assert md.read_text() == (
        "Table 9. Numbers.\n\n"
        "| method | auc |\n"
        "| --- | ---: |\n"
        "| a\\|b | 0.667 ± 0.012 |\n"
        "| c | 0.500 |\n"
    )
    page = html.read_text()
    assert "Table 9. Numbers." in page
    assert re.findall("<td.*?>(.*?)</td>", page) == ["a|b", "0.667 ± 0.012", "c", "0.500"]
    (held,) = re.findall('href="data:text/csv;base64,(.*?)" download="t.csv"', page)
    assert base64.b64decode(held) == csv.read_bytes()
