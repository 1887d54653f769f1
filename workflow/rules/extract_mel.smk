rule extract_mel_shard:
    input:
        clips=rules.download.output.clips,
        audio=rules.download.output.audio,
        code=rooms("steps/extract_mel_shard.py", "common", "corpus", "dataset", "mel"),
    output:
        spectrograms="results/extract_mel/shard-{shard}.npy",
        clips="results/extract_mel/shard-{shard}.csv",
    log:
        "logs/extract_mel/shard-{shard}.log",
    benchmark:
        "logs/extract_mel/shard-{shard}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        download=subpath(input.clips, parent=True),
        shards=config["extract_mel"]["shards"],
        sample_rate=config["extract_mel"]["sample_rate"],
        n_fft=config["extract_mel"]["n_fft"],
        hop_length=config["extract_mel"]["hop_length"],
        n_mels=config["extract_mel"]["n_mels"],
        log_scale=config["extract_mel"]["log_scale"],
        seconds=config["extract_mel"]["seconds"],
        tolerance=config["extract_mel"]["tolerance"],
        longest=config["extract_mel"]["longest"],
        unfinished="unfinished/extract_mel/shard-{shard}.npy",
    message:
        "Compute log-mel spectrograms, shard {wildcards.shard}"
    shell:
        "OMP_NUM_THREADS={threads} autotagging extract_mel_shard --download {params.download}"
        " --shard {wildcards.shard} --shards {params.shards}"
        " --sample-rate {params.sample_rate} --n-fft {params.n_fft}"
        " --hop-length {params.hop_length} --n-mels {params.n_mels}"
        " --log-scale {params.log_scale} --seconds {params.seconds}"
        " --tolerance {params.tolerance} --longest {params.longest}"
        " --unfinished {params.unfinished} --spectrograms {output.spectrograms}"
        " --clips {output.clips} > {log} 2>&1"


rule extract_mel:
    input:
        shards=expand(rules.extract_mel_shard.output.clips, shard=SHARDS),
        spectrograms=expand(rules.extract_mel_shard.output.spectrograms, shard=SHARDS),
        code=rooms("steps/extract_mel.py", "common", "corpus", "dataset", "mel"),
    output:
        summary="results/extract_mel/summary.csv",
        front_end="results/extract_mel/front_end.json",
    log:
        "logs/extract_mel/extract_mel.log",
    benchmark:
        "logs/extract_mel/benchmark.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        sample_rate=config["extract_mel"]["sample_rate"],
        n_fft=config["extract_mel"]["n_fft"],
        hop_length=config["extract_mel"]["hop_length"],
        n_mels=config["extract_mel"]["n_mels"],
        log_scale=config["extract_mel"]["log_scale"],
        seconds=config["extract_mel"]["seconds"],
        max_bad=config["extract_mel"]["max_bad"],
    message:
        "List the shards of spectrograms"
    shell:
        "autotagging extract_mel --shards {input.shards} --sample-rate {params.sample_rate}"
        " --n-fft {params.n_fft} --hop-length {params.hop_length} --n-mels {params.n_mels}"
        " --log-scale {params.log_scale} --seconds {params.seconds} --max-bad {params.max_bad}"
        " --summary {output.summary} --front-end {output.front_end} > {log} 2>&1"
