rule split:
    input:
        labels=rules.merge_tags.output.labels,
        clips=rules.download.output.clips,
        groups=rules.download.output.groups,
        file=split_file,
        code=rooms("steps/split.py", "common", "dataset", "labels"),
    output:
        split="results/split/split.csv",
        leakage="results/split/leakage.csv",
    log:
        "logs/split/split.log",
    benchmark:
        "logs/split/benchmark.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        scheme=config["split"]["scheme"],
        file=config["split"]["file"],
        untagged=config["split"]["untagged"],
        train=config["split"]["train"],
        validation=config["split"]["validation"],
        test=config["split"]["test"],
        seed=config["split"]["seed"],
    message:
        "Split the clips by the scheme {params.scheme}"
    shell:
        "autotagging split --labels {input.labels} --clips {input.clips}"
        " --groups {input.groups} --scheme {params.scheme} --file {params.file:q}"
        " --untagged {params.untagged} --train {params.train}"
        " --validation {params.validation} --test {params.test} --seed {params.seed}"
        " --split {output.split} --leakage {output.leakage} > {log} 2>&1"
