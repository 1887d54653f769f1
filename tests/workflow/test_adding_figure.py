"""A new figure is its module, its drawing, its rule, its caption and its test: no list knows it."""

import re

import pytest
import yaml

from autotagging.commands import PACKAGE, find_commands

NEW = {
    "src/autotagging/steps/figures/tags_per_clip.py": '''\
"""How many tags a clip has (sec. II.A)."""

from autotagging.reporting.inputs import read_table
from autotagging.reporting.plots.tags_per_clip import tags_per_clip as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def tags_per_clip(*, labels: flags.Labels, figure_files: flags.Figure) -> None:
    """Tags per clip, after merging."""
    table = read_table(labels, ("clip_id", "mp3_path"))
    save_figure(draw(table.drop(columns=["clip_id", "mp3_path"])), figure_files)
''',
    "src/autotagging/reporting/plots/tags_per_clip.py": '''\
"""Figure of how many tags a clip has."""

import pandas as pd
from matplotlib.figure import Figure

from autotagging.reporting.plots.style import COLUMN, new_figure, styled


@styled
def tags_per_clip(labels: pd.DataFrame, *, caption: str = "") -> Figure:
    """Draw a histogram of tags per clip."""
    figure = new_figure(COLUMN, 2.5, caption)
    counts = labels.sum(axis=1).value_counts()
    figure.add_subplot(xlabel="tags", ylabel="clips").bar(counts.index, counts)
    return figure
''',
    "workflow/report/tags_per_clip.rst": "How many clips have that many tags.\n",
    "tests/steps/figures/test_tags_per_clip.py": """\
import pandas as pd

from autotagging.reporting.plots.tags_per_clip import tags_per_clip as draw
from autotagging.steps.figures.tags_per_clip import tags_per_clip
from earlier_steps import assert_draws
from figures import CAPTION

EXAMPLES = {"tags_per_clip": lambda: draw(pd.DataFrame({"rock": [0, 1]}), caption=CAPTION)}


def test_tags_per_clip_is_drawn(results):
    assert_draws(tags_per_clip, results, labels=results / "labels.csv")
""",
}
DRAWN = """\
    figure = new_figure(COLUMN, 2.5, caption)
    counts = labels.sum(axis=1).value_counts()
    figure.add_subplot(xlabel="tags", ylabel="clips").bar(counts.index, counts)
"""
WRONG = """\
    figure = new_figure(COLUMN, 2.5)
    axes = figure.add_subplot(xlabel="tags", ylabel="clips")
    for colour in ("red", "green"):
        axes.scatter(np.random.default_rng().normal(size=len(labels)), labels, color=colour)
"""
"""No caption, jitter without a seed, and colours that are alike without one kind of cones."""
RULE = """

rule tags_per_clip:
    input:
        labels=rules.merge_tags.output.labels,
    output:
        **figure_files("tags_per_clip"),
    log:
        "logs/figures/tags_per_clip.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("tags_per_clip")
    shell:
        "autotagging figures tags_per_clip {params.files} > {log} 2>&1"
"""


@pytest.fixture(scope="module")
def project(finished_copy):
    """A project with the results of the tiny run, to which a figure was added."""
    copy = finished_copy()
    for path, content in NEW.items():
        (copy.folder / path).write_text(content)
    with (copy.folder / "workflow/rules/figures.smk").open("a") as rules:
        rules.write(RULE)
    return copy


pytestmark = [pytest.mark.xdist_group("tiny_run"), pytest.mark.slow]


def test_the_command_line_knows_it(project):
    printed = project.run("autotagging figures --help")
    assert "tags_per_clip     Tags per clip, after merging." in printed


def test_both_engines_draw_it_and_run_nothing_before_it(project):
    every = {*find_commands(PACKAGE / "steps/figures"), "tags_per_clip"}
    assert project.jobs("snakemake -n -- figures") == every
    stage = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]["figures"]
    script = project.folder / ".snakemake/stage.sh"
    script.write_text(stage["cmd"].replace("snakemake ", "snakemake -n "))
    assert project.jobs(f"sh {script}") == every
    drawn = "results/figures/tags_per_clip.svg"
    ran = project.run(f"snakemake --cores 1 --allowed-rules tags_per_clip -- {drawn}")
    assert "start  Tags per clip, after merging\n" in ran
    log = max((project.folder / ".snakemake/log").iterdir()).read_text()
    assert "--labels results/merge_tags/labels.csv --svg" in log
    assert "<svg" in (project.folder / drawn).read_text()


def test_the_tests_know_it(project):
    folders = "tests/workflow/test_figures.py tests/unit/reporting/plots tests/steps/figures"
    script = project.folder / ".snakemake/tests.sh"
    selected = "tags_per_clip or nothing_else_has or told_apart or has_an_example"
    script.write_text(f"pytest -n 0 -v --basetemp .snakemake/tests {folders} -k '{selected}'")
    printed = project.run(f"sh {script}")
    for test in ("is_drawn", "nothing_else_has", "has_an_example", "at_the_size_of_a_column"):
        assert f"{test} PASSED" in printed.replace("[tags_per_clip]", "")


def test_a_drawing_that_breaks_the_rules_fails(project):
    path = "src/autotagging/reporting/plots/tags_per_clip.py"
    before = (project.folder / path).read_text()
    project.replace(path, DRAWN, WRONG)
    project.replace(path, "import pandas as pd\n", "import numpy as np\nimport pandas as pd\n")
    tests = "tests/unit/reporting/plots/test_style.py -k tags_per_clip"
    printed = project.run(f"pytest -n 0 -v --basetemp .snakemake/tests {tests}", code=1)
    (project.folder / path).write_text(before)
    for test in ("have_their_caption", "same_bytes_when_drawn_again", "bars_and_areas_of_a_panel"):
        assert re.search(rf"{test}\w*\[tags_per_clip.*\] FAILED", printed), printed
    assert "at_the_size_of_a_column[tags_per_clip] PASSED" in printed
