"""Every command, path and link that a page shows is right: commands are run, or nearly so."""

import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from autotagging.tools.rule_graph import parse_dot, reduce_edges
from conftest import ROOT

pytestmark = pytest.mark.xdist_group("tiny_run")

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "benchmarks/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PROGRAMS = (
    "apptainer|apt|autotagging|cd|docker|dvc|git|kill|make|pip|python|rm|snakemake|source|zip"
)
COMMAND = re.compile(rf"(?:\w+=\S+ )?(?:{PROGRAMS}) \S.*")

# How a command is run in a copy of a tiny finished project: as it is, or by the nearest one that
# trains nothing. (`dvc exp run --dry` fails: it looks for results that it has not made.) The order
# matters only for the last. `make X` is run as `make -n X`.
RUN = {
    "autotagging --help": None,
    "autotagging merge_tags --help": None,
    "autotagging doctor": "autotagging doctor --quick",
    "autotagging doctor --quick": None,
    "autotagging crate --out ../run-crate": None,
    "autotagging provenance results/split/split.csv": None,
    "autotagging provenance results/train/crnn/seed-0/weights.npz": None,
    "autotagging record": None,
    "autotagging record --other-versions": None,
    "autotagging restore": None,
    "autotagging verify --cache": None,
    "autotagging export --model-json results/train/crnn/seed-0/model.json --out exported"
    " --card results/figures/model_card/crnn-seed-0.md": None,
    "dvc config cache.shared group": None,
    "dvc gc --all-commits --all-experiments --dry": None,
    "dvc config cache.type hardlink": None,
    "dvc exp run -S corpus=magnatagatune": "dvc exp run --queue -S corpus=magnatagatune",
    "dvc exp run -S train.learning_rate=0.0005 --name slow": (
        "dvc exp run --queue -S train.learning_rate=0.0005 --name slow"
    ),
    "dvc metrics diff HEAD slow": None,
    "dvc plots diff HEAD slow": None,
    "dvc repro": None,
    "git checkout HEAD -- params.yaml dvc.lock": None,
    "dvc repro --force download": "dvc repro --dry --force download",
    "snakemake --cores all": None,
    "dvc status": None,
    "dvc remote add --default storage ssh://USER@HOST/path/to/storage": (
        "dvc remote add --force --default storage ../storage"
    ),
    "dvc remote modify storage verify true": None,
    "dvc push": None,
    "dvc fetch": None,
    "dvc pull": None,
    "git checkout -- dvc.lock": None,
    "git checkout -- workflow": None,
    "snakemake --cores 2 download": None,
    "snakemake --cores 8": None,
    "snakemake --cores all -- FILE": "snakemake --cores all -- results/split/split.csv",
    "snakemake --cores all --forceall": "snakemake -n --forceall",
    "snakemake --cores all --touch --forceall": None,
    "snakemake --cores all --forcerun download": "snakemake -n --forcerun download",
    "snakemake --cores all --forcerun extract_mel_shard": (
        "snakemake -n --forcerun extract_mel_shard"
    ),
    "snakemake --unlock": None,
    "snakemake -n": None,
    "snakemake -n --config corpus=magnatagatune": None,
    "snakemake -n --config 'train={\"learning_rate\":0.0005}'": (
        'snakemake -n --config train={"learning_rate":0.0005}'
    ),
    "snakemake -n -p": None,
    "snakemake --cores all --configfile workflow/compare.yaml --config corpus=FOLDER "
    "'split={scheme: artist}'": (
        'snakemake -n --configfile workflow/compare.yaml --config split={"scheme":"artist"}'
    ),
    "snakemake --cores all --configfile workflow/compare.yaml --config"
    " 'train={seeds: [0, 1, 2]}'": (
        'snakemake -n --configfile workflow/compare.yaml --config train={"seeds":[0,1,2]}'
    ),
    "autotagging verify --corpus FOLDER": "autotagging verify --corpus demo",
    "cd results/split && sha256sum -c SHA256SUMS": (
        "env --chdir results/split sha256sum -c SHA256SUMS"
    ),
    'snakemake --cores all --config corpus=corpora/mine \'split={"scheme":"artist"}\'': (
        'snakemake -n --config split={"scheme":"artist"}'
    ),
    "snakemake -n --config corpus=corpora/mine"
    ' \'split={"scheme":"artist","train":7,"validation":1,"test":2}\'': (
        'snakemake -n --config split={"scheme":"artist","train":7,"validation":1,"test":2}'
    ),
    "dvc repro --force merge_tags": "dvc repro --dry --force merge_tags",
    "rm -r results/figures": None,
}
# What a command prints: a difference that `slow` has from HEAD.
PRINTED = {"dvc metrics diff HEAD slow": r"results/figures/summary\.json +crnn\.loss .* 0\.125 "}
# Why a command is not run. That its subcommand, its flags and its script are there is checked.
TABLES = "needs the official tables"
NAMED = "only named"
SONGS = "needs songs; tests/unit/tools/test_tag.py and tests/unit/tagging/test_light.py run it"
REMOTES = "`make test-remotes` runs it"
TAGGRAM = "needs a song; tests/unit/tagging/test_taggram.py runs it"
WEIGHTS = "needs the published weights; tests/unit/tools/test_import_weights.py imports them"
SLURM = "needs Slurm; tests/cluster runs it"
WRITES = "tests/unit/tools/test_apply.py runs it"
MERGE = "needs a merge that has stopped"
OWN_MUSIC = "needs music; test_own_music.py runs it"
# Commands that are not run because of their kind: how they begin.
NOT_RUN_KINDS = {
    r"(OMP_NUM_THREADS=1 )?python benchmarks/": "takes minutes",
    r"(apptainer|docker) ": "needs a container engine",
    r"pip install ": "downloads packages",
}
NOT_RUN = {
    "apt install chromium": "changes the machine",
    "autotagging apply plan.jsonl": WRITES,
    "autotagging apply plan.jsonl --dry-run": WRITES,
    "autotagging data_card --tables corpora/magnatagatune"
    " --vocabulary workflow/resources/tags.yaml --params params.yaml --out docs/data.md": TABLES,
    "autotagging export": NAMED,
    "autotagging export --model-json results/train/crnn/seed-0/model.json --out exported": (
        "it is run with --card"
    ),
    "autotagging serve": NAMED,
    "autotagging serve --model exported": (
        "runs until Ctrl+C; tests/unit/tagging/test_server.py runs it"
    ),
    "autotagging tag --windows": NAMED,
    "autotagging taggram song.mp3 --model exported": TAGGRAM,
    "autotagging taggram song.mp3 --model exported --figure taggram.png --csv taggram.csv"
    " --jams song.jams": TAGGRAM,
    "autotagging tag": NAMED,
    "autotagging tag song.mp3 --model exported": SONGS,
    "autotagging tag ~/Music --model exported --json songs.jsonl": SONGS,
    "autotagging tag ~/Music --model exported --json songs.jsonl --plan plan.jsonl": SONGS,
    "autotagging import_corpus": NAMED,
    "autotagging import_corpus --csv tags.csv --audio music --out corpora/mine": OWN_MUSIC,
    "autotagging import_corpus --from-files genre mood --audio music --out corpora/mine"
    " --skip-bad": OWN_MUSIC,
    "autotagging sweep --parameter train.learning_rate --out sweep": REMOTES,
    "autotagging undo plan.journal.jsonl": WRITES,
    "autotagging verify --corpus magnatagatune": "needs 3 GB of audio",
    "autotagging export --model-json msd/model.json --out FOLDER": WEIGHTS,
    "autotagging import_weights"
    " music-auto_tagging-keras/data/music_tagger_crnn_weights_tensorflow.h5 --out msd": WEIGHTS,
    "autotagging tag --model msd SONG": WEIGHTS,
    "dvc exp apply": NAMED,
    "dvc exp run": NAMED,
    "dvc exp apply NAME": REMOTES,
    "dvc exp pull origin NAME": REMOTES,
    "dvc exp push origin NAME": REMOTES,
    "dvc exp run --queue -S train.learning_rate=0.0003,0.001,0.003 -S 'train.seeds=[0],[1]'": (
        REMOTES
    ),
    "dvc exp show --md --only-changed --drop '^(src|results|workflow)/|^(Executor|State)$'": (
        REMOTES
    ),
    "dvc fetch --all-commits": REMOTES,
    "dvc queue logs NAME": REMOTES,
    "dvc queue kill NAME": NAMED,
    "dvc queue start --jobs 2": REMOTES,
    "dvc queue status": REMOTES,
    "dvc queue stop --kill": REMOTES,
    "dvc cache dir --local FOLDER/.dvc/cache": "needs another folder",
    "dvc checkout": NAMED,
    "dvc commit": NAMED,
    "dvc plots": NAMED,
    "git add": NAMED,
    "git add dvc.lock": MERGE,
    "git checkout": NAMED,
    "git checkout --ours dvc.lock": MERGE,
    "git commit --no-edit": MERGE,
    "git pull": NAMED,
    "rm -r": NAMED,
    "git clone https://github.com/keunwoochoi/music-auto_tagging-keras": "downloads files",
    "git clone <this repository> && cd autotagging": "no address",
    "python benchmarks/lookup.py FOLDER_WITH_THE_OFFICIAL_TABLES --seeds 100": TABLES,
    "python benchmarks/scaling.py FOLDER_WITH_THE_OFFICIAL_TABLES OUT --clips 1000000": TABLES,
    "rm -f": NAMED,
    "rm -r results": "test_record.py runs it",
    "python tests/cluster/slurm.py sinfo": SLURM,
    "AUTOTAGGING_CORPORA=/corpora snakemake --workflow-profile profiles/kubernetes": (
        "needs Kubernetes"
    ),
    "SNAKEMAKE_PROFILE=profiles/slurm dvc repro": SLURM,
    "snakemake --workflow-profile profiles/slurm": SLURM,
    "snakemake --workflow-profile profiles/slurm --profile profiles/slurm-multi-worker": SLURM,
    "kill -9": NAMED,
    "kill N": NAMED,
    "rm FILE": NAMED,
    "zip -r mp3.zip 0 1 2 3 4 5 6 7 8 9 a b c d e f": "packs the whole corpus",
    "zip -s": NAMED,
    "zip -s 0 mp3.zip --out joined.zip": "the same",
    "source .venv/bin/activate": "`make results` makes it",
}
# How blocks begin that show no commands: the source tree, a TF_CONFIG, a profile of Snakemake, a
# song's tags, a file's changes, a mapping of tags, a vocabulary, parameters, Python.
NO_COMMANDS = ("src/autotagging/", '{"cluster": ', "executor: ", "song.mp3 0:", "import ")
NO_COMMANDS += ("/music/", "exclude = [", "synonyms:", "extract_mel:")
# Paths that are neither in the repository nor made by a run of the demo.
OTHER_PATHS = {
    ".dvc/tmp/plots.html": "made by `make plots`",
    ".snakemake/slurm_logs/": "made by jobs of Slurm",
    ".venv/bin/activate": "made by `make results`",
    "corpora/": "AUTOTAGGING_CORPORA is set in the tests",
    "corpora/demo/": "the same",
    "corpora/magnatagatune/": "the user's data",
    "corpora/mine/": "an example",
    "path/to/folder": "an example",
    "results/train/<model>/": "an example",
    "unfinished/": "only while a step runs",
    "unfinished/extract_mel/": "only while the step runs",
}


FENCED = re.compile(r"^```.*\n((?:.*\n)*?)```", re.MULTILINE)
INDENTED = re.compile(r"(?<=\n\n)((?: {4}.*\n)+)")


def blocks(text: str) -> list[list[str]]:
    """Lines of each fenced or indented block, without comments."""
    found = [*FENCED.findall(text), *INDENTED.findall(FENCED.sub("", text))]
    whole = [re.sub(r"\\\n", " ", block).splitlines() for block in found]
    return [[" ".join(re.sub(r"(^|\s)#.*", "", line).split()) for line in block] for block in whole]


def code_spans(text: str) -> Iterator[str]:
    """Lines of blocks, and inline code."""
    for block in blocks(text):
        yield from block
    prose = INDENTED.sub("", FENCED.sub("", text))
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))


def commands(text: str) -> set[str]:
    return {span for span in code_spans(text) if COMMAND.fullmatch(span)}


def unknown_lines(text: str) -> list[str]:
    """Lines of blocks that no test runs or checks, as they begin with no known program."""
    return [
        line
        for block in blocks(text)
        if not block[0].startswith(NO_COMMANDS)
        for line in block
        if line and not COMMAND.fullmatch(line)
    ]


SPANS = {path: set(code_spans(path.read_text(encoding="utf-8"))) for path in PAGES}
SHOWN = set().union(*(commands(path.read_text(encoding="utf-8")) for path in PAGES))
MAKE = sorted(command for command in SHOWN if command.startswith("make "))
OF_A_KIND = {
    command: kind
    for command in sorted(SHOWN - {*MAKE, *RUN, *NOT_RUN})
    for kind in NOT_RUN_KINDS
    if re.match(kind, command)
}


@pytest.fixture(scope="module")
def project(recorded_copy):
    """A copy of the tiny finished project, recorded; the tag `slow` has another CRNN's loss.

    Its remote is a folder next to it.
    """
    copy = recorded_copy()
    remote = "remote = storage\n['remote \"storage\"']\n    url = ../../storage"
    copy.replace(".dvc/config", "analytics = false", f"analytics = false\n    {remote}")
    copy.commit()
    summary = copy.folder / "results/figures/summary.json"
    before = summary.read_bytes()
    metrics = json.loads(before)
    metrics["crnn"]["loss"] = 0.125
    summary.unlink()  # it may be a link into DVC's cache
    summary.write_text(json.dumps(metrics))
    copy.run("dvc commit --force figures")
    copy.commit()
    copy.run("git tag slow")
    copy.run("git reset --quiet --hard HEAD~1")
    summary.unlink()
    summary.write_bytes(before)
    return copy


def test_commands_are_found():
    text = "By `make a`, `make`:\n\n    dvc pull  # comment\n\n```sh\nA=1 snakemake \\\n  -n\n```\n"
    assert commands(text) == {"make a", "dvc pull", "A=1 snakemake -n"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_line_of_a_block_is_a_command(page):
    assert unknown_lines(page.read_text(encoding="utf-8")) == []


def test_a_line_that_is_no_command_is_found():
    text = 'So:\n\n    # all\n    make test\n    podman run x\n\n```\n{"cluster": 1}\n```\n'
    assert unknown_lines(f"{text}\n```sh\nsnakemake -n\n\nmake\n```\n") == ["make", "podman run x"]


def test_every_command_of_the_pages_is_checked_and_no_other():
    assert SHOWN - set(MAKE) == {*RUN, *NOT_RUN, *OF_A_KIND}
    assert {*OF_A_KIND.values()} == {*NOT_RUN_KINDS}
    assert not {*NOT_RUN.values()} & {*NOT_RUN_KINDS.values()}


@pytest.mark.parametrize("command", RUN)
def test_a_command_runs(project, command):
    printed = project.run(RUN[command] or command)
    assert re.search(PRINTED.get(command, ""), printed), printed
    project.run("git checkout --quiet -- .")


@pytest.mark.parametrize("command", MAKE)
def test_a_target_of_make_is_there(project, command):
    project.run(command.replace("make", "make -n", 1))


@pytest.mark.parametrize("command", [*NOT_RUN, *OF_A_KIND])
def test_a_command_that_is_not_run_has_its_parts(project, command):
    program, *words = shlex.split(re.sub(r"^\w+=\S+ ", "", command))
    flags = [word for word in words if word.startswith("-")]
    if program == "python":
        script = (ROOT / words[0]).read_text()
        assert all(flag in script for flag in flags)
    elif program == "pip":
        extras = re.findall(r"\[(\w+)\]", command)
        optional = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1]
        assert all(re.search(rf"^{extra} = ", optional, re.MULTILINE) for extra in extras)
    elif program in ("autotagging", "dvc", "snakemake"):
        start = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
        help_text = project.run(" ".join([program, *words[:start], "--help"]))
        assert all(re.search(rf"{flag}\b", help_text) for flag in flags)


def test_every_line_of_doctor_is_explained(project):
    table = (ROOT / "docs/operations.md").read_text(encoding="utf-8").split("| `FIX` if |")[1]
    names = re.findall(r"^\| ([\w, ]+) \|", table.split("\n\n")[0], re.MULTILINE)
    explained = {name for entry in names for name in entry.split(", ")}
    printed = project.run("autotagging doctor --quick")
    assert set(re.findall(r"^(?:OK|FIX) +(\w+)", printed, re.MULTILINE)) <= explained


def test_the_python_of_a_page_scores_a_clip_as_evaluate_did(project):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/model.md").read_text(), re.DOTALL)
    results = project.folder / "results"
    if not (project.folder / "exported").exists():  # as the page's command has left it
        model = "results/train/crnn/seed-0/model.json"
        project.run(f"autotagging export --model-json {model} --out exported")
    found = np.load(results / "evaluate/crnn/seed-0/predictions.npz")
    clips = pd.read_csv(results / "split/split.csv", index_col="clip_id")["mp3_path"]
    parts = sorted(Path(project.environment["AUTOTAGGING_CORPORA"], "demo").glob("mp3.zip.*"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(part.read_bytes() for part in parts)))
    (project.folder / "clip.mp3").write_bytes(archive.read(clips[found["clip_id"][0]]))
    (project.folder / "clip.py").write_text(f"{code}\nprint([*map(float, scores.values())])")
    printed = project.run("python clip.py").splitlines()[-1]
    assert json.loads(printed) == pytest.approx(found["scores"][0], abs=1e-3)


def written_paths() -> list[str]:
    """All paths in inline code, with a slash between or after two names."""
    whole = re.compile(r"[\w.<>*-]+(?:/[\w.<>*-]+)*/?")
    spans = set().union(*SPANS.values())
    return sorted(span for span in spans if "/" in span and whole.fullmatch(span))


def test_every_path_of_the_pages_is_there(tiny_run):
    roots = [ROOT, ROOT / "src/autotagging", tiny_run.folder]
    missing = set()
    for path in written_paths():
        pattern = re.sub(r"<\w+>|NN", "*", path).rstrip("/")
        if not any(any(root.glob(pattern)) for root in roots):
            missing.add(path)
    assert missing - set(OTHER_PATHS) == set()


def headings(path: Path) -> set[str]:
    """Anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (page.parent / path) if path else page
            assert target.exists(), link
            assert not anchor or anchor in headings(target), link


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index


def test_every_folder_of_the_source_is_described():
    tree = (ROOT / "CONTRIBUTING.md").read_text().split("\nsrc/autotagging/\n")[1].split("```")[0]
    source = (ROOT / "src/autotagging").iterdir()
    folders = {path.name for path in source if any(path.glob("*.py"))}
    assert set(re.findall(r"^  (\w+)/ ", tree, flags=re.MULTILINE)) == folders


def test_the_first_page_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1200


def test_the_rules_in_the_picture_are_those_of_the_workflow(project):
    """`make screenshots` renews docs/images/rule_graph.svg."""
    rules, edges = parse_dot(project.run("snakemake --forceall --rulegraph dot"))
    drawn = (ROOT / "docs/images/rule_graph.svg").read_text()
    assert set(re.findall(r'id="rule-(\w+)"', drawn)) == set(rules)
    expected = {f"edge-{start}-{end}" for start, end in reduce_edges(edges)}
    assert set(re.findall(r'id="(edge-[\w-]+)"', drawn)) == expected


def test_the_citation_fits_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    metadata = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{citation["version"]}"' in metadata
    assert f'license = "{citation["license"]}"' in metadata
