import base64
import html
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from autotagging.reporting.tables.files import Part, TableFiles, save_table


def files_of(folder):
    return TableFiles(*(folder / f"t.{suffix}" for suffix in ("csv", "md", "html", "tex")))


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
    files = files_of(tmp_path)
    save_table(table, files, caption="Table 9. 100 % numbers.")
    assert pd.read_csv(files.csv)["auc"][0] == 2 / 3
    assert files.md.read_text() == (
        "Table 9. 100 % numbers.\n\n"
        "| method | auc |\n"
        "| --- | ---: |\n"
        "| a\\|b | 0.667 ± 0.012 [0.600,\N{NO-BREAK SPACE}0.700] |\n"
        "| c | 0.500 |\n"
    )
    page = files.html.read_text()
    assert "Table 9. 100 % numbers." in page
    assert re.findall("<td.*?>(.*?)</td>", page) == [
        *("a|b", "0.667 ± 0.012 [0.600,\N{NO-BREAK SPACE}0.700]", "c", "0.500"),
    ]
    (held,) = re.findall('href="data:text/csv;base64,(.*?)" download="t.csv"', page)
    assert base64.b64decode(held) == files.csv.read_bytes()
    latex = files.tex.read_text()
    assert r"\caption{100 \% numbers.}" in latex  # LaTeX has numbers of its own
    assert r"a|b & 0.667~\(\pm\)~0.012 [0.600,~0.700] \\" in latex


def test_a_page_has_a_readable_title(tmp_path):
    files = TableFiles(*(tmp_path / f"table_2.{suffix}" for suffix in ("csv", "md", "html", "tex")))
    save_table(pd.DataFrame({"n": [1]}), files, caption="Table 2. Layers.")
    page = files.html.read_text()
    assert "<title>Table 2</title>" in page
    assert "<h1>Table 2</h1>\n<p>Layers.</p>" in page
    assert files.md.read_text().startswith("Table 2. Layers.\n")


def test_parts_are_tables_of_their_own_below_one_caption(tmp_path):
    rows = pd.DataFrame({"source": ["here", "cited"], "auc": [0.8, 0.9], "name": 'a_b & "c^2"'})
    files = files_of(tmp_path)
    parts = [
        Part(source, f"As {source}.", part.drop(columns="source"))
        for source, part in rows.groupby("source")
    ]
    save_table(rows, files, caption="Both.", shown=parts)
    assert len(pd.read_csv(files.csv)) == 2
    text = files.md.read_text()
    assert text.startswith("Both.\n\n**cited.** As cited.\n\n| auc | name |\n")
    assert text.index("| 0.900 |") < text.index("**here.** As here.") < text.index("| 0.800 |")
    assert re.findall("<h2>(.*?)</h2>", files.html.read_text()) == ["cited", "here"]
    latex = files.tex.read_text()
    assert latex.count(r"\begin{table}") == 2
    assert r"\caption{cited. As cited.}" in latex
    assert r"0.900 & a\_b \& ``c\textasciicircum{}2'' \\" in latex


def test_a_name_in_brackets_is_no_option_of_latex(tmp_path):
    """LaTeX takes a bracket or a star after the end of a row for one."""
    files = files_of(tmp_path)
    save_table(pd.DataFrame({"tag": ["[live]", "*x", "a[b]"]}), files, caption="Tags.")
    assert re.findall(r"(\S+) \\\\", files.tex.read_text()) == ["tag", "{}[live]", "{}*x", "a[b]"]


def test_notes_are_written_below_the_table(tmp_path):
    files = files_of(tmp_path)
    save_table(pd.DataFrame({"n": range(60)}), files, caption="Above.", notes="100 % below.")
    assert files.md.read_text().endswith("| 59 |\n\n100 % below.\n")
    page, latex = files.html.read_text(), files.tex.read_text()
    assert page.index('<td class="number">59</td>') < page.index('<p class="note">100 % below.')
    assert latex.count(r"{\footnotesize 100 \% below.}") == 1  # below the last of two tables
    assert latex.index(r"59 \\") < latex.index("below.")


def test_names_are_text_in_markdown(tmp_path):
    names = ["Ba$$in", "$5 or $10", "_hidden_", "a\\b", "a\\|b", "*x*", "`x`", "<b>", "~~x~~"]
    names += ["[a](b)", "&amp;", "a_b", "50%", "http_x"]
    files = files_of(tmp_path)
    save_table(pd.DataFrame({"tag": names}), files, caption="Of *$5*.", notes="Not _one_.")
    page = MarkdownIt("gfm-like", {"linkify": False}).render(files.md.read_text())
    assert [html.unescape(cell) for cell in re.findall("<td.*?>(.*)</td>", page)] == [
        name.replace("$", "<span>$</span>") for name in names
    ]
    assert "<p>Of *<span>$</span>5*.</p>" in page
    assert "<p>Not _one_.</p>" in page


def test_a_part_has_its_own_notes(tmp_path):
    table, files = pd.DataFrame({"n": [1]}), files_of(tmp_path)
    parts = [Part("One", "First.", table, "Of one."), Part("Two", "Second.", table)]
    save_table(table, files, caption="Both.", shown=parts)
    text = files.md.read_text()
    assert text.index("| 1 |") < text.index("Of one.") < text.index("**Two.** Second.")
    assert files.tex.read_text().count(r"{\footnotesize ") == 1


def test_columns_have_names_for_readers_and_models_keep_theirs(tmp_path):
    table = pd.DataFrame({"cnn_f1 roc_auc": [-0.5], "pr_auc_macro": [0.5], "digits": ["0.9005"]})
    files = files_of(tmp_path)
    save_table(table, files, caption="Names.")
    text = files.md.read_text()
    assert "| cnn_f1 ROC-AUC | average precision macro | digits |\n| ---: | ---: | ---: |" in text
    assert r"\(-\)0.500" in files.tex.read_text()


def test_a_long_table_is_several_in_latex(tmp_path):
    files = files_of(tmp_path)
    save_table(pd.DataFrame({"rank": range(60)}), files, caption="Table 3. Ranks.")
    latex = files.tex.read_text()
    assert re.findall(r"\\caption{(.*)}", latex) == ["Ranks.", "Ranks. Continued."]
    assert re.findall(r"^(\d+) \\\\$", latex, re.MULTILINE) == [str(rank) for rank in range(60)]


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    files = files_of(tmp_path)
    save_table(pd.DataFrame(columns=["model", "epoch"]), files, caption="None.")
    assert "| model | epoch |" in files.md.read_text()


def test_a_long_heading_is_broken_in_latex_and_short_columns_need_no_width(tmp_path):
    files = files_of(tmp_path)
    table = pd.DataFrame({"model": ["a"], "mean over tags weighted by positives": [0.5]})
    save_table(table, files, caption="Heading.")
    latex = files.tex.read_text()
    columns, ems = re.search(r"\\begin{tabular}{(l>.*p{([\d.]+)em})}", latex).groups()
    assert columns.startswith(r"l>{\raggedleft\arraybackslash}")
    assert 4 < float(ems) < 6  # as wide as "positives", of nine letters
    assert latex.startswith("\\begin{table}\n")


def test_a_wide_table_is_turned_in_latex_and_its_pages_are_shorter(tmp_path):
    files = files_of(tmp_path)
    wide = pd.DataFrame({f"model {n}": ["0.987 [0.876, 0.998]"] * 30 for n in range(6)})
    save_table(wide, files, caption="Wide.")
    latex = files.tex.read_text()
    assert latex.count(r"\begin{sidewaystable}") == latex.count(r"\end{sidewaystable}") == 2
    assert r"\begin{table}" not in latex
    save_table(wide.iloc[:, :4], files, caption="Narrower.")
    assert "sideways" not in files.tex.read_text()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (Debian: texlive)")
@pytest.mark.parametrize("models", [1, 4, 8, 16])
def test_latex_takes_the_tables_and_no_column_leaves_the_page(tmp_path, models):
    wide = {f"a model {n} roc_auc": ["0.987 [0.876, 0.998]"] * 60 for n in range(models)}
    files = files_of(tmp_path)
    save_table(pd.DataFrame(wide), files, caption="Wide & long, 100 %.", notes="A note. " * 40)
    (tmp_path / "all.tex").write_text(
        r"\documentclass{article}\usepackage{array,booktabs,graphicx,rotating}"
        r"\begin{document}\input{t}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    log = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "Overfull" not in log
    assert "too large" not in log


def test_labels_of_parts_with_the_same_first_word_differ_and_names_of_models_stay(tmp_path):
    files = files_of(tmp_path)
    table = pd.DataFrame({"bof_rbm": ["1,024"], "multiply_adds": ["-"]})
    parts = [Part(f"Minus {name}", "", table, names=["bof_rbm"]) for name in ("a", "b")]
    save_table(table, files, caption="Two.", shown=parts)
    assert re.findall(r"\\label{(.*)}", files.tex.read_text()) == ["tab:t:minus", "tab:t:minus-2"]
    assert "| bof_rbm | multiply adds |\n| ---: | ---: |" in files.md.read_text()
