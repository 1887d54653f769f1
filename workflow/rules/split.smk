rule split:
    input:
        labels=rules.merge_tags.output.labels,
        clips=rules.download.output.clips,
        groups=rules.download.output.groups,
    output:
        split="results/split/split.csv",
        leakage="results/split/leakage.csv",
        split_settings="results/split/settings.json",
        versions="results/split/versions.json",
        checksums="results/split/SHA256SUMS",
    log:
        "logs/split/split.log",
    benchmark:
        "logs/split/benchmark.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        **own_split(),
        **sources(
            "src/autotagging/steps/split.py",
            "src/autotagging/common",
            "src/autotagging/corpus",
            "src/autotagging/dataset",
            "src/autotagging/labels",
        ),
        files=files,
        settings=settings(
            scheme=config["split"]["scheme"],
            file=config["split"]["file"],
            untagged=config["split"]["untagged"],
            train=config["split"]["train"],
            validation=config["split"]["validation"],
            test=config["split"]["test"],
            seed=config["split"]["seed"],
        ),
    message:
        "Split the clips by the scheme {config[split][scheme]}"
    shell:
        "autotagging split {params.files} {params.settings} > {log} 2>&1"
