"""Snakemake's report of a tiny run, opened and clicked through in a real browser."""

import json

import pytest

from autotagging.commands import figure_title
from browser import CHROMIUM, open_browser

pytestmark = [
    pytest.mark.xdist_group("tiny_run"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)"),
]

ROWS = "[...document.querySelectorAll('nav tbody tr')]"
# The image of the chosen result is there, and its top can be scrolled to.
IMAGE_SHOWN = """(() => {
    const image = document.querySelector('#app img:not(nav img)');
    return image?.src === results[app.state.resultPath].data_uri && image.complete
        && image.naturalWidth > 100 && image.getBoundingClientRect().top >= 0;
})()"""


@pytest.fixture(scope="module")
def report(tiny_run, tmp_path_factory):
    """The report, opened; at the end, screenshots of it lie in the folder `screenshots`."""
    with open_browser(tmp_path_factory.mktemp("profile")) as page:
        page.screenshots = tmp_path_factory.mktemp("screenshots")
        page.open(tiny_run.folder / "report.html")
        page.wait("document.querySelector('main.page h1') !== null")
        yield page


@pytest.fixture
def page(report):
    """The report at its first page; whatever a test does, nothing fails and nothing is fetched."""
    yield report
    go_home(report)
    assert report.errors == []
    assert report.requests == []


def titles(project, pattern):
    """Titles of the figures, or tables, of which a run has left such files, as rows in order."""
    paths = (project.folder / "results/figures").glob(pattern)
    return sorted(figure_title(path.stem).removesuffix(".") for path in paths)


def click(page, text):
    """Click on the link of this text in the menu."""
    link = f"[...document.querySelectorAll('nav a')].find(a => a.innerText === {json.dumps(text)})"
    page.wait(f"{link} !== undefined")
    page.run(f"{link}.click()")


def go_home(page):
    page.run("document.querySelector('nav ol a').click()")
    page.wait("document.querySelector('main.page') !== null")


def open_results(page, category):
    """Open a category; yield the name of each result, shown."""
    click(page, category)
    page.wait(f"{ROWS}.length > 0")
    for row, name in enumerate(page.run(f"{ROWS}.map(row => row.innerText.trim())")):
        page.run(f"{ROWS}[{row}].querySelector('a').click()")
        yield name
        page.screenshot(page.screenshots / f"{category} - {name.replace(':', '')}.png")


def test_the_first_page_shows_the_results(page, tiny_run):
    page.screenshot(page.screenshots / "first page.png")
    assert page.run("document.querySelector('h1 ~ p').getBoundingClientRect().top") > 0
    text = page.run("document.querySelector('main.page').innerText")
    metrics = tiny_run.folder / "results/evaluate/crnn/seed-0/metrics.json"
    auc = json.loads(metrics.read_text())["roc_auc_macro"]
    for shown in (f"{auc:.3f}", "0.893", "audio-blind", "synthetic demo corpus", "Best", "Worst"):
        assert shown in text
    # Below it, the graph of the rules.
    page.wait("document.querySelector('#rulegraph svg, #rulegraph canvas') !== null")


def test_the_clips_of_the_first_page_can_be_played(page):
    clips = "[...document.querySelectorAll('main.page audio')]"
    assert page.run(f"{clips}.length") >= 1
    page.wait(f"{clips}.every(clip => clip.readyState >= 1)")
    assert all(28 < seconds < 31 for seconds in page.run(f"{clips}.map(clip => clip.duration)"))
    assert page.run(f"{clips}.every(clip => clip.error === null)")


def test_every_figure_is_shown(page, tiny_run):
    names = []
    for name in open_results(page, "Figures"):
        names.append(name)
        page.wait(IMAGE_SHOWN)
    assert names == titles(tiny_run, "*.svg")


def test_every_table_is_shown(page, tiny_run):
    names = []
    for name in open_results(page, "Tables"):
        names.append(name)
        page.wait("document.querySelectorAll('tbody tr').length > 2", in_frame=True)
    assert names == titles(tiny_run, "*.csv")


def test_the_summary_is_shown_by_itself_and_plays(page):
    for _ in open_results(page, "Summary"):
        page.wait("document.querySelector('audio')?.duration > 28", in_frame=True)


@pytest.mark.parametrize("category", ["Figures", "Tables", "Summary"])
def test_every_result_has_a_caption(page, category):
    click(page, category)
    page.wait(f"{ROWS}.length > 0")
    for row in range(page.run(f"{ROWS}.length")):
        page.run(f"[...{ROWS}[{row}].querySelectorAll('a')].at(-1).click()")
        page.wait("document.querySelector('nav .prose')?.innerText.length > 20")
        go_home(page)
        click(page, category)
        page.wait(f"{ROWS}.length > 0")


def test_workflow_statistics_and_packages_are_shown(page):
    click(page, "Statistics")
    for chart in ("runtimes", "timeline"):
        page.wait(f"document.querySelector('#{chart} canvas, #{chart} svg') !== null")
    page.screenshot(page.screenshots / "statistics.png")
    click(page, "Workflow")
    page.wait("document.querySelector('#rulegraph canvas, #rulegraph svg') !== null")
    click(page, "About")
    page.wait("document.querySelector('nav').innerText.includes('vega')")


def test_faults_of_a_page_are_noticed(tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(
        "<img src='http://127.0.0.1:9/a.png'><script>console.error('one'); "
        "setTimeout(() => { done = 1; throw new Error('two') })</script>"
    )
    with open_browser(tmp_path / "profile") as other:
        other.open(broken)
        other.wait("window.done === 1")
        found = " ".join(other.errors)
        assert "one" in found
        assert "Error: two" in found
        assert other.requests == ["http://127.0.0.1:9/a.png"]
