# The pipeline: download -> merge_tags -> split -> train -> evaluate -> figures, and extract_mel.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.14")

PROJECT = Path(workflow.current_basedir).resolve()
if Path.cwd().resolve() != PROJECT:
    raise WorkflowError(
        f"run Snakemake in the project's folder, {PROJECT}; for a second run, make a clone or a "
        "git worktree"
    )

# The package next to this file, even if another copy is installed.
SOURCE = PROJECT / "src"
if ":" in str(SOURCE):
    raise WorkflowError(
        f"{SOURCE}: a colon in the path, which PYTHONPATH can't have; move the folder"
    )
sys.path.insert(0, str(SOURCE))

from autotagging.common.errors import UserError
from autotagging.common.params import faults, read_params, read_schema

# Snakemake's own reader accepts repeated keys and anchors, and leaves numbers of --config as text.
configfiles = workflow.config_settings.configfiles
overrides = dict(workflow.config_settings.config)
try:
    params = read_params(Path("params.yaml"), overrides, configfiles=configfiles)
except UserError as error:
    raise WorkflowError(str(error))
where = ["params.yaml", *map(str, configfiles), *(["--config"] if overrides else [])]
if found := faults(params, read_schema(Path("workflow/schemas")), source=" or ".join(where)):
    raise WorkflowError("\n".join(found))


configfile: "params.yaml"


config.update(params)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/merge_tags.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/extract_mel.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/figures.smk"


# With --allowed-rules, as in DVC's stages, results of other rules are read as they are. An input
# written as `rules.X.output` would run its rule all the same, for its time or recorded parameters.
for each in workflow.rules:
    each.dependencies.clear()


rule all:
    default_target: True
    input:
        rules.figures.input,
        all_results,
