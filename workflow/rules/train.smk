rule train:
    input:
        shards,
        source_corpus,
        unpack(features),
        labels=rules.merge_tags.output.labels,
        tag_settings=rules.merge_tags.output.tag_settings,
        split=rules.split.output.split,
        split_settings=rules.split.output.split_settings,
        audio=rules.download.output.audio,
    output:
        weights="results/train/{model}/seed-{seed}/weights.npz",
        epoch_weights="results/train/{model}/seed-{seed}/epochs.npz",
        model_json="results/train/{model}/seed-{seed}/model.json",
        history="results/train/{model}/seed-{seed}/history.csv",
        versions="results/train/{model}/seed-{seed}/versions.json",
        checksums="results/train/{model}/seed-{seed}/SHA256SUMS",
    log:
        text="logs/train/{model}/seed-{seed}/train.log",
        times="logs/train/{model}/seed-{seed}/times.csv",
    benchmark:
        "logs/train/{model}/seed-{seed}/benchmark.tsv"
    threads: workflow.cores
    resources:
        gpu=lambda wildcards: int(reads_spectrograms(wildcards.model)),
        mem_mb=training_memory,
        # These two change no result; as params, they would trigger a new training.
        cache_gb=str(config["train"]["cache"]),
        checkpoint_minutes=str(config["train"]["checkpoint_minutes"]),
        runtime=lambda wildcards: 1440 if reads_spectrograms(wildcards.model) else 60,
    params:
        **sources(
            "src/autotagging/steps/train.py",
            "src/autotagging/common",
            "src/autotagging/dataset",
            "src/autotagging/training",
            "src/autotagging/models",
        ),
        launcher=launcher,
        files=files,
        settings=settings(
            xla=config["train"]["xla"],
        ),
        devices=devices,
        training_settings=training_settings,
        options=model_options,
        model_source=model_source,
        features_source=features_source,
        start_from=start_from,
        start_source=start_source,
    message:
        "Train {wildcards.model}, seed {wildcards.seed}, on the training clips"
    shell:
        "{params.launcher}autotagging train --model {wildcards.model} --seed {wildcards.seed}"
        " {params.files} {params.settings} {params.devices} {params.training_settings} {params.options} {params.start_from} --threads {threads}"
        " --checkpoint-minutes {resources.checkpoint_minutes} --cache {resources.cache_gb}"
        " --unfinished unfinished/train/{wildcards.model}/seed-{wildcards.seed}"
        " --times {log.times} 2>&1 | tee {log.text}"
