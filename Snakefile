# The pipeline: download -> merge_tags -> split -> train -> evaluate -> figures, and extract_mel.
from snakemake.utils import min_version, validate

from autotagging.params import read_exponents

min_version("9.0")


configfile: "params.yaml"


config.update(read_exponents(config))
validate(config, "workflow/schemas/params.schema.yaml", set_default=False)


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
