rule extract_mel_shard:
    input:
        rules.download.output.clips,
        rules.download.output.audio,
    output:
        spectrograms="results/extract_mel/shard-{shard}.npy",
        clips="results/extract_mel/shard-{shard}.csv",
        versions="results/extract_mel/shard-{shard}.json",
    log:
        "logs/extract_mel/shard-{shard}.log",
    benchmark:
        "logs/extract_mel/shard-{shard}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        **sources(
            "src/autotagging/steps/extract_mel_shard.py",
            "src/autotagging/common",
            "src/autotagging/corpus",
            "src/autotagging/dataset",
            "src/autotagging/mel",
        ),
        files=files,
        settings=settings(
            download=Path(rules.download.output.clips).parent,
            shards=config["extract_mel"]["shards"],
            sample_rate=config["extract_mel"]["sample_rate"],
            n_fft=config["extract_mel"]["n_fft"],
            hop_length=config["extract_mel"]["hop_length"],
            n_mels=config["extract_mel"]["n_mels"],
            log_scale=config["extract_mel"]["log_scale"],
            seconds=config["extract_mel"]["seconds"],
            tolerance=config["extract_mel"]["tolerance"],
            longest=config["extract_mel"]["longest"],
        ),
    message:
        "Compute log-mel spectrograms, shard {wildcards.shard}"
    shell:
        "OMP_NUM_THREADS={threads} autotagging extract_mel_shard --shard {wildcards.shard}"
        " {params.files} {params.settings}"
        " --unfinished unfinished/extract_mel/shard-{wildcards.shard}.npy > {log} 2>&1"


rule extract_mel:
    input:
        paths(rules.extract_mel_shard.output.spectrograms, shard=SHARDS),
        paths(rules.extract_mel_shard.output.versions, shard=SHARDS),
        shards=paths(rules.extract_mel_shard.output.clips, shard=SHARDS),
    output:
        summary="results/extract_mel/summary.csv",
        front_end="results/extract_mel/front_end.json",
        versions="results/extract_mel/versions.json",
        checksums="results/extract_mel/SHA256SUMS",
    log:
        "logs/extract_mel/extract_mel.log",
    benchmark:
        "logs/extract_mel/benchmark.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        **sources(
            "src/autotagging/steps/extract_mel.py",
            "src/autotagging/common",
            "src/autotagging/corpus",
            "src/autotagging/dataset",
            "src/autotagging/mel",
        ),
        files=files,
        settings=settings(
            sample_rate=config["extract_mel"]["sample_rate"],
            n_fft=config["extract_mel"]["n_fft"],
            hop_length=config["extract_mel"]["hop_length"],
            n_mels=config["extract_mel"]["n_mels"],
            log_scale=config["extract_mel"]["log_scale"],
            seconds=config["extract_mel"]["seconds"],
            max_bad=config["extract_mel"]["max_bad"],
        ),
    message:
        "List the shards of spectrograms"
    shell:
        "autotagging extract_mel {params.files} {params.settings} > {log} 2>&1"


SHARD_FILES = [
    *paths(rules.extract_mel_shard.output.spectrograms, shard=SHARDS),
    *paths(rules.extract_mel_shard.output.clips, shard=SHARDS),
]
