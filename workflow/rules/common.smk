# Helpers of several rules. Only the Snakefile and its rules read params.yaml.
#
# A shell command is `autotagging <step> {params.files} {params.settings}`, with a flag for each named
# input and output, and for each parameter. Snakemake compares parameters as values without names; as
# flags they carry their names, so that two exchanged values are a change. It leaves out {params.files},
# which is made from input and output, and compares inputs as a set: their order is no change.
import hashlib
import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import SharedFSUsage

from autotagging.commands import figure_title
from autotagging.common.errors import UserError
from autotagging.common.files import read_json, sha256
from autotagging.common.params import OWN_SETTINGS, options_of
from autotagging.corpus.paths import VOCABULARY, VOCABULARY_COPY, corpus_folder, is_made_here
from autotagging.corpus.signature import audio_signature
from autotagging.mel.sizes import frame_count
from autotagging.models import (
    check_input,
    check_log_scale,
    reads,
    reads_other_labels,
    reads_spectrograms,
)
from autotagging.tools import _outdated, _replaced, _unrecorded
from autotagging.tools._edits import edited_since, times_of_edits

if workflow.is_main_process:  # once, not in the processes of jobs
    for tool in (_outdated, _replaced, _unrecorded):
        if warning := tool.warning():
            logger.warning(warning)

IN_STAGE = workflow.is_main_process and "DVC_ROOT" in os.environ
EDITS_BEFORE = times_of_edits() if IN_STAGE else {}


onsuccess:
    # DVC reads what a stage depends on when the stage has ended.
    if IN_STAGE and (edited := edited_since(EDITS_BEFORE, sys.argv[1:])):
        raise WorkflowError(
            f"{edited}: edited while this stage ran; its results are of the content before, and DVC "
            "would record them as of the new one. `dvc repro` makes them again; or put the content "
            "before back, and `snakemake --cores all` and `autotagging record` keep them"
        )


onstart:
    # What is submitted to a cluster calls this Python by its path, without quotes.
    if workflow.non_local_exec and SharedFSUsage.SOFTWARE_DEPLOYMENT in (
        workflow.storage_settings.shared_fs_usage
    ):
        check_python_path()
    # DVC's stages allow their own rules only, and DVC does not see what is in a corpus folder.
    if workflow.dag_settings.allowed_rules and not is_made_here(config["corpus"]):
        from autotagging.tools._own_corpus import check_own_corpus  # loads pandas

        try:
            check_own_corpus(config["corpus"], rules=set(workflow.dag_settings.allowed_rules))
        except UserError as error:
            raise WorkflowError(str(error))
    from autotagging.tools._results_lock import hold_results

    try:
        if warning := hold_results():
            logger.warning(warning)
    except UserError as error:
        raise WorkflowError(str(error))


def check_python_path():
    """Stop unless a shell takes the path of this Python without quotes as it is."""
    path = sys.executable.encode("ascii", "ignore").decode()  # `quote` would quote an umlaut
    if quote(path) != path:
        raise WorkflowError(
            f"{sys.executable}: jobs of a cluster can't start a Python with such a character in its "
            "path, for instance a space; move the project's folder, and install again"
        )


def shell_prefix():
    """Beginning of every shell command.

    Commands run the package next to the Snakefile, with the Python that runs Snakemake; each begins
    its log with a line on commit and machine, for `autotagging provenance`. tee never
    fails, even if the terminal was closed or the disk is full, because what only shows or logs must
    not stop a step.
    """
    python, source = (
        quote(str(path)).replace("{", "{{").replace("}", "}}")
        for path in (Path(sys.executable).parent, SOURCE)
    )
    return (
        f"set -euo pipefail; export PATH={python}:$PATH"
        f" PYTHONPATH={source}${{{{PYTHONPATH:+:$PYTHONPATH}}}} AUTOTAGGING_NOTE=1; "
        'tee() {{ ( trap "" PIPE; command tee "$1" ) || cat >> "$1" || cat > /dev/null; }}; '
    )


shell.prefix(shell_prefix())


wildcard_constraints:
    model=r"\w+",
    seed=r"\d+",
    shard=r"\d+",


SHARDS = [f"{shard:02}" for shard in range(config["extract_mel"]["shards"])]


def sources(*paths):
    """Code and other files that no rule makes, as parameters with path and hash of the contents.

    If a content changes, the rule's jobs run again, whatever the time stamps. Subfolders of a
    folder are left out. Files that editors leave behind do not count; .dvcignore and .gitignore
    say the same.
    """
    return {path: constant(source(path)) for path in paths}


def source(path):
    """Path and hash of the contents of a file or folder, as in `sources`."""
    return f"{path} {content_hash(Path(path))}"


def constant(text):
    """A parameter that Snakemake takes as it is: a function, because braces in text are wildcards."""
    return lambda wildcards: text


def when_planned(function, *arguments):
    """A parameter that only the processes compute which plan its rule's jobs, as in `constant`."""
    return lambda wildcards: function(*arguments)


@cache
def content_hash(path):
    """Hash of a file, or of the files in a folder."""
    if path.is_file():
        return sha256(path)[:16]
    if not path.is_dir():
        raise WorkflowError(f"{path}: no such file or folder")
    files = [
        file
        for file in sorted(path.iterdir())
        if file.is_file() and not file.name.startswith(".") and not file.name.endswith("~")
    ]
    contents = [f"{file.name} {sha256(file)}" for file in files]
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()[:16]


def model_source(wildcards):
    """Code of a job's model, as in `sources`."""
    return source(f"src/autotagging/models/{wildcards.model}")


def features_source(wildcards):
    """Code of features that are fitted, as in `sources`, for a model that has some."""
    return source("src/autotagging/features") if reads(wildcards.model) == "features" else ""


def files(wildcards, input, output):
    """Flags for a job's named inputs and outputs. An input without a name only orders the jobs."""
    named = [*input.items(), *output.items()]
    return " ".join(
        flag(name, paths if isinstance(paths, str) else [*paths]) for name, paths in named if paths
    )


def settings(**parameters):
    """Make a function of a job that gives parameters as flags."""
    return constant(" ".join(flag(name, value) for name, value in parameters.items()))


def flag(name, value):
    """One flag of the command line: a parameter, or a list of them."""
    name = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{name}={value}"
    texts = map(str, value if isinstance(value, list) else [value])
    if isinstance(value, str) and value.startswith("-"):  # a path that looks like a flag
        texts = [f"./{value}"]
    return f"--{name} {' '.join(map(quote, texts))}"


def model_options(wildcards):
    """Options of a job's model as flags: name=value, as in YAML."""
    options = sorted(options_of(config["train"][wildcards.model]).items())
    return flag("options", [f"{name}={json.dumps(value)}" for name, value in options])


def training_settings(wildcards):
    """Settings of a job's training as flags."""
    return " ".join(flag(name, value) for name, value in own_settings(wildcards.model).items())


def own_settings(model):
    """Settings of a model's training: its own, or the common ones.

    The demo corpus has its own number of epochs.
    """
    common = {name: config["train"][name] for name in OWN_SETTINGS}
    if config["corpus"] == "demo":
        common["epochs"] = config["demo"]["epochs"]
    return common | config["train"][model].get("training", {})


def training_memory(wildcards):
    """Memory of a training in MB."""
    batch_size = own_settings(wildcards.model)["batch_size"]
    return int(2000 + 250 * batch_size + 1000 * config["train"]["cache"])


def features(wildcards):
    """Inputs of a model in addition to labels and split."""
    if not reads_spectrograms(wildcards.model):
        return {"groups": rules.download.output.groups}
    others = {"other_labels": rules.merge_tags.output.other_labels}
    return spectrograms(wildcards) | (others if reads_other_labels(wildcards.model) else {})


def spectrograms(wildcards):
    """Spectrograms as inputs of a model that reads them; none for other models."""
    if not reads_spectrograms(wildcards.model):
        return {}
    return {
        "mel": rules.extract_mel.output.summary,
        "front_end": rules.extract_mel.output.front_end,
    }


def shards(wildcards):
    """Shards of spectrograms, for a model that reads them."""
    return SHARD_FILES if reads_spectrograms(wildcards.model) else []


def source_corpus(wildcards):
    """Results of another corpus that the features of a model are learnt on; none for most."""
    corpus = config["train"][wildcards.model].get("source", "other_tags")
    results = (
        "download/audio.json",
        "merge_tags/labels.csv",
        "extract_mel/summary.csv",
        "extract_mel/front_end.json",
    )
    return [] if corpus == "other_tags" else [f"{corpus}/{path}" for path in results]


def check_models():
    """Stop if a model does not take the spectrograms, before a job replaces results."""
    mel = config["extract_mel"]
    frames = frame_count(**{name: mel[name] for name in ("seconds", "sample_rate", "hop_length")})
    for model in filter(reads_spectrograms, config["models"]):
        try:
            check_log_scale(model, mel["log_scale"])
            options = options_of(config["train"][model])
            check_input(model, options, mel_bins=mel["n_mels"], frames=frames)
        except UserError as error:
            raise WorkflowError(
                f"params.yaml: extract_mel does not suit train.{model}: {error}. "
                f"Change one of them, or leave {model} out of models"
            )


if workflow.is_main_process:
    check_models()


def starts():
    """Path of the model.json whose weights a training starts from, by the model that is trained."""
    found = {}
    for model in config["models"]:
        if (given := config["train"][model].get("start_from")) is None:
            continue
        name, path = f"params.yaml: train.{model}.start_from", Path(given)
        path = path / "model.json" if path.is_dir() else path
        if not path.is_file():
            raise WorkflowError(f"{name}: {given} is neither a model.json nor a folder with one")
        if Path("results").resolve() in path.resolve().parents:
            raise WorkflowError(f"{name}: copy {given} out of results/, where a run may replace it")
        found[model] = str(path)
    return found


STARTS = starts()  # now: what an input function raises is no error where its job's outputs exist


def check_starts():
    """Stop if a training starts from a model of other spectrograms, before those are made."""
    for model, path in STARTS.items():
        try:
            trained_on = read_json(Path(path)).get("front_end", {})
        except UserError as error:
            raise WorkflowError(str(error))
        for name, here in config["extract_mel"].items():
            if (there := trained_on.get(name, here)) != here:
                raise WorkflowError(
                    f"params.yaml: extract_mel.{name} is {here}, but {path} was trained on {there}. "
                    f"Set it to {there}, or train.{model}.start_from to null"
                )


if workflow.is_main_process:
    check_starts()


def start_from(wildcards):
    """Model whose weights a training starts from, as a flag; nothing for most."""
    return flag("start_from", STARTS[wildcards.model]) if wildcards.model in STARTS else ""


def start_source(wildcards):
    """Content of the model that a training starts from, as in `sources`."""
    return source(STARTS[wildcards.model]) if wildcards.model in STARTS else ""


def devices(wildcards):
    """Devices of a training as a flag; features are fitted by one process."""
    chosen = config["train"]["devices"]
    if chosen == "multi_worker" and reads(wildcards.model) != "mel":
        chosen = "auto"
    return flag("devices", chosen)


def launcher(wildcards):
    """Command that starts a network's training on each node of a Slurm job, if it uses several."""
    if config["train"]["devices"] != "multi_worker" or reads(wildcards.model) != "mel":
        return ""
    nodes = "$(squeue --noheader --format=%D --job=$SLURM_JOB_ID)"
    return f"srun --nodes={nodes} --ntasks-per-node=1 --cpu-bind=none --kill-on-bad-exit=1 "


def paths(outputs, **wildcards):
    """Paths of a rule's outputs, for all combinations of wildcards.

    If Snakemake keeps results in a storage provider, outputs are objects of the provider, which
    `expand` refuses, and which the provider makes of plain paths anyway.
    """
    outputs = [outputs] if isinstance(outputs, str) else outputs
    return expand(
        [re.sub(r"^\.snakemake/storage/.*/(?=results/)", "", path) for path in outputs],
        **wildcards,
    )


def own_corpus():
    """Tables and audio of a corpus folder of the user, as in `sources`; nothing for others.

    They are read by processes that plan or run the rule: a job of another rule, on another machine,
    does not list the audio.
    """
    if is_made_here(config["corpus"]):
        return {}
    folder = corpus_folder(config["corpus"])
    if not folder.is_dir():
        raise WorkflowError(f"params.yaml: corpus: {folder} is not a folder")
    tables = sorted(map(str, folder.glob("*_final.csv*")))
    return {
        **{path: when_planned(source, path) for path in tables},
        "audio": when_planned(audio_source, config["corpus"]),
    }


@cache  # a job's parameters may be asked for again when it has run
def audio_source(corpus):
    """Signature of the audio of a corpus."""
    return f"audio {audio_signature(corpus)}"


def own_vocabulary():
    """Path of the vocabulary in a corpus folder of the user; None if there is none."""
    path = corpus_folder(config["corpus"]) / VOCABULARY
    return None if is_made_here(config["corpus"]) or not path.is_file() else str(path)


def own_split():
    """Split table of the user, as in `sources`; nothing if the scheme does not need it."""
    if config["split"]["scheme"] != "file":
        return {}
    path = config["split"]["file"]
    if path is None or not Path(path).is_file():
        raise WorkflowError(f"params.yaml: split.file: {path} is not a file; split.scheme needs it")
    if Path(path).resolve().parent != Path("workflow/splits").resolve():
        raise WorkflowError(
            f"params.yaml: split.file: put {path} into workflow/splits, so that DVC notices changes"
        )
    return sources(path)


def all_results(wildcards):
    """Outputs of all steps, also those that no other job reads.

    A rule may have one more than when its results were made, by an earlier version. Snakemake would
    then notice no change of its jobs' parameters or code, as long as nothing asks for the new one.
    Shards of spectrograms are left out: they are large, and may be deleted after the training.
    """
    return [
        path
        for rule in workflow.rules
        if rule.wildcard_names <= ALL.keys()
        if AUDIO or not rule.name.startswith("extract_mel")
        for path in paths(getattr(rules, rule.name).output, **ALL)
    ]


# Helpers of the rules of figures and tables.


def figure_files(name):
    """Outputs of a figure; the report shows the SVG with the figure's title."""
    svg = in_report(f"results/figures/{name}.svg", name, category="Figures", column="figure")
    versions = f"results/figures/versions/{name}-figure.json"
    return {"svg": svg, "png": f"results/figures/{name}.png", "figure_versions": versions}


def table_files(name):
    """Outputs of a table; the report shows the HTML page with the table's title."""
    files = {suffix: f"results/figures/{name}.{suffix}" for suffix in ("csv", "md", "tex")}
    page = in_report(f"results/figures/{name}.html", name, category="Tables", column="table")
    versions = f"results/figures/versions/{name}-table.json"
    return {**files, "html": page, "table_versions": versions}


def in_report(path, name, *, category, column):
    """A file in the report, with its command's title and the text workflow/report/<name>.rst."""
    label = figure_title(name).removesuffix(".")
    return report(path, caption=f"../report/{name}.rst", category=category, labels={column: label})


def all_figures(wildcards):
    """Outputs of all rules of figures.smk, in any order."""
    own = [rule for rule in workflow.rules if Path(rule.snakefile).name == "figures.smk"]
    return [path for rule in own for path in paths(rule.output)]
