rule download:
    input:
        remote=local("workflow/resources/magnatagatune.yaml"),
    output:
        annotations="results/download/annotations_final.csv",
        clip_info="results/download/clip_info_final.csv",
        clips="results/download/clips.csv",
        groups="results/download/groups.csv",
        audio="results/download/audio.json",
        versions="results/download/versions.json",
        checksums="results/download/SHA256SUMS",
    log:
        "logs/download/download.log",
    benchmark:
        "logs/download/benchmark.tsv"
    threads: workflow.cores
    resources:
        mem_mb=3000,
    params:
        **own_corpus(),
        **sources(
            "workflow/resources/magnatagatune.yaml",
            "src/autotagging/steps/download.py",
            "src/autotagging/common",
            "src/autotagging/corpus",
            "src/autotagging/demo",
        ),
        files=files,
        settings=settings(
            corpus=config["corpus"],
            demo_clips=config["demo"]["clips"],
            demo_seed=config["demo"]["seed"],
        ),
    message:
        "Get the corpus {config[corpus]} and list its clips"
    shell:
        "autotagging download {params.files} {params.settings} --threads {threads}"
        " 2>&1 | tee {log}"
