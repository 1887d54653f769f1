# Helpers of several rules. Only the Snakefile and its rules read params.yaml.
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError

from autotagging.commands import figure_title
from autotagging.corpus.paths import corpus_folder
from autotagging.models import reads


wildcard_constraints:
    model=r"\w+",
    seed=r"\d+",
    shard=r"\d+",


SHARDS = [f"{shard:02}" for shard in range(config["extract_mel"]["shards"])]


def rooms(*names):
    """Code files of a rule, as inputs: if the code changes, the step runs again.

    A room is a folder of src/autotagging without its subfolders; a name may also be a module.
    Files that editors leave behind are no code; .dvcignore and .gitignore say the same.
    """
    paths = [Path("src/autotagging", name) for name in names]
    return [
        str(file)
        for path in paths
        for file in ([path] if path.suffix else sorted(path.iterdir()))
        if file.is_file() and not file.name.startswith(".") and not file.name.endswith("~")
    ]


def model_rooms(*names):
    """Make an input function for these rooms and the room of a job's model."""
    return lambda wildcards: rooms(*names, "models", f"models/{wildcards.model}")


def epochs():
    """Epochs to train; the demo corpus has its own number."""
    return config["demo" if config["corpus"] == "demo" else "train"]["epochs"]


def reads_mel(model):
    """Whether a model reads spectrograms; other models read only the corpus's tables."""
    return reads(model) == "mel"


def features(wildcards):
    """Inputs of a model in addition to labels and split."""
    return spectrograms(wildcards) or {"groups": rules.download.output.groups}


def spectrograms(wildcards):
    """Spectrograms as inputs of a model that reads them; none for other models."""
    if not reads_mel(wildcards.model):
        return {}
    return {
        "mel": rules.extract_mel.output.summary,
        "front_end": rules.extract_mel.output.front_end,
        "shards": rules.extract_mel.input.shards,
        "spectrograms": rules.extract_mel.input.spectrograms,
    }


def flags(*names):
    """Make a params function that turns these inputs of a job into flags, if it has them."""

    def make(wildcards, input):
        present = [name for name in names if input.get(name)]
        return " ".join(flag(name, input[name]) for name in present)

    return make


def launcher(wildcards):
    """Command that starts a network's training on each node of a Slurm job, if it uses several."""
    if config["train"]["devices"] != "multi_worker" or not reads_mel(wildcards.model):
        return ""
    nodes = "$(squeue --noheader --format=%D --job=$SLURM_JOB_ID)"
    return f"srun --nodes={nodes} --ntasks-per-node=1 --cpu-bind=none --kill-on-bad-exit=1 "


def model_options(wildcards):
    """Options of one model as name=value, the format of the command line."""
    return [f"{name}={value}" for name, value in config["train"][wildcards.model].items()]


def split_file(wildcards):
    """The user's own split, if any, as an input: if it changes, the later steps run again."""
    return [config["split"]["file"]] if config["split"]["scheme"] == "file" else []


def corpus_tables(wildcards):
    """Tables of a user's corpus folder, as inputs: if they change, all steps run again."""
    if config["corpus"] in ("demo", "magnatagatune"):
        return []
    return sorted(map(str, corpus_folder(config["corpus"]).glob("*_final.csv*")))


# Helpers of the rules of figures and tables.


def figure_files(name):
    """Outputs of a figure; the report shows the SVG with the figure's title."""
    svg = in_report(f"results/figures/{name}.svg", name, category="Figures", column="figure")
    return {"svg": svg, "png": f"results/figures/{name}.png"}


def table_files(name):
    """Outputs of a table; the report shows the HTML page with the table's title."""
    files = {suffix: f"results/figures/{name}.{suffix}" for suffix in ("csv", "md", "tex")}
    page = in_report(f"results/figures/{name}.html", name, category="Tables", column="table")
    return {**files, "html": page}


def in_report(path, name, *, category, column):
    """A file in the report, with its command's title and the text workflow/report/<name>.rst."""
    label = figure_title(name).removesuffix(".")
    return report(path, caption=f"../report/{name}.rst", category=category, labels={column: label})


def all_flags(**parameters):
    """Make a params function that turns named inputs, parameters and outputs into flags.

    It leaves out empty inputs, `code`, and inputs without a name, which only order the jobs.
    """

    def make(wildcards, input, output):
        files = {name: paths for name, paths in input.items() if name != "code" and paths}
        flags = [flag(name, paths) for name, paths in files.items()]
        flags += [flag(name, quoted(value)) for name, value in parameters.items()]
        return " ".join(flags + [flag(name, path) for name, path in output.items()])

    return make


def flag(name, value):
    """One flag of the command line."""
    return f"--{name.replace('_', '-')} {value}"


def quoted(value):
    """A parameter, or a list of them, for the shell."""
    if isinstance(value, bool):
        raise WorkflowError("a flag without a value: write it into the shell command")
    return " ".join(quote(str(each)) for each in (value if isinstance(value, list) else [value]))


def all_figures(wildcards):
    """Outputs of all rules of figures.smk, in any order."""
    own = [rule for rule in workflow.rules if Path(rule.snakefile).name == "figures.smk"]
    return [str(path) for rule in own for path in rule.output]
