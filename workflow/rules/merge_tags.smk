rule merge_tags:
    input:
        annotations=rules.download.output.annotations,
        vocabulary="workflow/resources/tags.yaml",
        code=rooms("steps/merge_tags.py", "common", "corpus", "labels"),
    output:
        labels="results/merge_tags/labels.csv",
        tags="results/merge_tags/tags.csv",
        raw_tags="results/merge_tags/raw_tags.csv",
    log:
        "logs/merge_tags/merge_tags.log",
    benchmark:
        "logs/merge_tags/benchmark.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        synonyms=config["merge_tags"]["synonyms"],
        n_tags=config["merge_tags"]["n_tags"],
    message:
        "Merge synonymous tags and keep the {params.n_tags} most frequent"
    shell:
        "autotagging merge_tags --annotations {input.annotations}"
        " --vocabulary {input.vocabulary} --synonyms {params.synonyms} --n-tags {params.n_tags} --labels {output.labels}"
        " --tags {output.tags} --raw-tags {output.raw_tags} > {log} 2>&1"
