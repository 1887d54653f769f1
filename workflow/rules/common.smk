# What several rules need. Only the Snakefile and its rules read params.yaml.
from pathlib import Path
from shlex import quote

from autotagging.commands import figure_title
from autotagging.corpus.paths import corpus_folder
from autotagging.models import reads


wildcard_constraints:
    model=r"\w+",
    seed=r"\d+",
    shard=r"\d+",


SHARDS = [f"{shard:02}" for shard in range(config["extract_mel"]["shards"])]


def rooms(*names):
    """Files of rooms of the package, which are inputs: where code changes, a step runs again.

    A room is a folder of src/autotagging, without the folders in it; a name may also be one module.
    """
    paths = [Path("src/autotagging", name) for name in names]
    return [
        str(file)
        for path in paths
        for file in ([path] if path.suffix else sorted(path.iterdir()))
        if file.is_file()
    ]


def model_rooms(*names):
    """Function that gives these rooms and that of a job's model."""
    return lambda wildcards: rooms(*names, "models", f"models/{wildcards.model}")


def epochs():
    """Epochs to train: the demo corpus has its own."""
    return config["demo" if config["corpus"] == "demo" else "train"]["epochs"]


def listens(model):
    """Whether a model reads spectrograms; the others know only the corpus's tables."""
    return reads(model) == "mel"


def features(wildcards):
    """What a model reads, besides labels and split."""
    return spectrograms(wildcards) or {"groups": rules.download.output.groups}


def spectrograms(wildcards):
    """What a model that listens reads; nothing for others."""
    if not listens(wildcards.model):
        return {}
    return {
        "mel": rules.extract_mel.output.summary,
        "front_end": rules.extract_mel.output.front_end,
        "shards": rules.extract_mel.input.shards,
        "spectrograms": rules.extract_mel.input.spectrograms,
    }


def flags(*names):
    """Function that makes a flag of each of these inputs of which a job has files."""

    def make(wildcards, input):
        present = [name for name in names if input.get(name)]
        return " ".join(f"--{name.replace('_', '-')} {input[name]}" for name in present)

    return make


def launcher(wildcards):
    """What starts a network's training on each node of a Slurm job, where it takes several."""
    if config["train"]["devices"] != "multi_worker" or not listens(wildcards.model):
        return ""
    nodes = "$(squeue --noheader --format=%D --job=$SLURM_JOB_ID)"
    return f"srun --nodes={nodes} --ntasks-per-node=1 --cpu-bind=none --kill-on-bad-exit=1 "


def model_options(wildcards):
    """Options of one model as name=value, the way the command line takes them."""
    return [f"{name}={value}" for name, value in config["train"][wildcards.model].items()]


def split_file(wildcards):
    """The user's own split, where there is one: when it changes, so does all that follows."""
    return [config["split"]["file"]] if config["split"]["scheme"] == "file" else []


def corpus_tables(wildcards):
    """The tables of a corpus that is a folder of the user's: when they change, so does all."""
    if config["corpus"] in ("demo", "magnatagatune"):
        return []
    return sorted(map(str, corpus_folder(config["corpus"]).glob("*_final.csv*")))


# What the rules of figures and tables have in common.


def figure_files(name):
    """Outputs of a figure; the report shows the first, under the figure's title."""
    svg = in_report(f"results/figures/{name}.svg", name, category="Figures", column="figure")
    return {"svg": svg, "png": f"results/figures/{name}.png"}


def table_files(name):
    """Outputs of a table; the report shows the page, under the table's title."""
    files = {suffix: f"results/figures/{name}.{suffix}" for suffix in ("csv", "md", "tex")}
    page = in_report(f"results/figures/{name}.html", name, category="Tables", column="table")
    return {**files, "html": page}


def in_report(path, name, *, category, column):
    """A file as the report shows it: titled by its command, above workflow/report/<name>.rst."""
    label = figure_title(name).removesuffix(".")
    return report(path, caption=f"../report/{name}.rst", category=category, labels={column: label})


def all_flags(**parameters):
    """Function that makes a flag of each named input, parameter and output of a job.

    An input of no file is left out; so is `code`, and inputs without a name, which are only
    waited for.
    """

    def make(wildcards, input, output):
        files = {name: paths for name, paths in input.items() if name != "code" and paths}
        values = {**files, **parameters, **dict(output.items())}
        return " ".join(
            f"--{name.replace('_', '-')} {value if name in files else quote(str(value))}"
            for name, value in values.items()
        )

    return make


def all_figures(wildcards):
    """Outputs of all rules of figures.smk, wherever in it they stand."""
    own = [rule for rule in workflow.rules if Path(rule.snakefile).name == "figures.smk"]
    return [str(path) for rule in own for path in rule.output]
