# The pipeline: download -> merge_tags -> split -> train -> evaluate -> figures, and extract_mel.
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from autotagging.common.params import faults, read_exponents, read_schema

min_version("9.0")


configfile: "params.yaml"


config.update(read_exponents(config))
if found := faults(config, read_schema(Path("workflow/schemas"))):
    raise WorkflowError("\n".join(found))


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/merge_tags.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/extract_mel.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        rules.figures.input,
