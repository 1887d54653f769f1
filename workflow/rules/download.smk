rule download:
    message:
        "Get the corpus {params.corpus} and list its clips"
    input:
        tables=corpus_tables,
        remote="workflow/resources/magnatagatune.yaml",
        code=modules("steps/download", "corpus", "errors", "files", "remote"),
    output:
        annotations="results/download/annotations_final.csv",
        clip_info="results/download/clip_info_final.csv",
        clips="results/download/clips.csv",
        audio="results/download/audio.json",
    params:
        corpus=config["corpus"],
        clips=config["demo"]["clips"],
        seed=config["demo"]["seed"],
    log:
        "logs/download/download.log",
    benchmark:
        "logs/download/benchmark.tsv"
    threads: workflow.cores
    resources:
        mem_mb=2000,
    shell:
        "autotagging download --corpus {params.corpus:q} --remote {input.remote}"
        " --demo-clips {params.clips} --demo-seed {params.seed}"
        " --annotations {output.annotations} --clip-info {output.clip_info}"
        " --clips {output.clips} --audio {output.audio} > {log} 2>&1"
