rule download:
    input:
        tables=corpus_tables,
        remote="workflow/resources/magnatagatune.yaml",
        code=rooms("steps/download.py", "common", "corpus", "demo"),
    output:
        annotations="results/download/annotations_final.csv",
        clip_info="results/download/clip_info_final.csv",
        clips="results/download/clips.csv",
        groups="results/download/groups.csv",
        audio="results/download/audio.json",
    log:
        "logs/download/download.log",
    benchmark:
        "logs/download/benchmark.tsv"
    threads: workflow.cores
    resources:
        mem_mb=3000,
    params:
        corpus=config["corpus"],
        clips=config["demo"]["clips"],
        seed=config["demo"]["seed"],
    message:
        "Get the corpus {params.corpus} and list its clips"
    shell:
        "autotagging download --corpus {params.corpus:q} --remote {input.remote}"
        " --demo-clips {params.clips} --demo-seed {params.seed} --threads {threads}"
        " --annotations {output.annotations} --clip-info {output.clip_info}"
        " --clips {output.clips} --groups {output.groups} --audio {output.audio} > {log} 2>&1"
