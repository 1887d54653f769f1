rule evaluate:
    input:
        shards,
        rules.train.output.weights,
        rules.train.output.epoch_weights,
        unpack(spectrograms),
        model_json=rules.train.output.model_json,
        labels=rules.merge_tags.output.labels,
        tags=rules.merge_tags.output.tags,
        split=rules.split.output.split,
        groups=rules.download.output.groups,
    output:
        predictions="results/evaluate/{model}/seed-{seed}/predictions.npz",
        metrics="results/evaluate/{model}/seed-{seed}/metrics.json",
        per_tag="results/evaluate/{model}/seed-{seed}/per_tag.csv",
        per_category="results/evaluate/{model}/seed-{seed}/per_category.csv",
        per_epoch="results/evaluate/{model}/seed-{seed}/per_epoch.csv",
        roc="results/evaluate/{model}/seed-{seed}/roc.csv",
        calibration="results/evaluate/{model}/seed-{seed}/calibration.csv",
        versions="results/evaluate/{model}/seed-{seed}/versions.json",
        checksums="results/evaluate/{model}/seed-{seed}/SHA256SUMS",
    log:
        "logs/evaluate/{model}/seed-{seed}/evaluate.log",
    benchmark:
        "logs/evaluate/{model}/seed-{seed}/benchmark.tsv"
    threads: workflow.cores
    resources:
        mem_mb=4000,
        runtime=lambda wildcards: 1440 if reads_spectrograms(wildcards.model) else 60,
    params:
        **sources(
            "src/autotagging/steps/evaluate.py",
            "src/autotagging/common",
            "src/autotagging/dataset",
            "src/autotagging/training",
            "src/autotagging/metrics",
            "src/autotagging/models",
            "src/autotagging/models/lookup",
        ),
        files=files,
        settings=settings(
            pseudo_count=config["train"]["lookup"]["pseudo_count"],
            threshold=config["evaluate"]["threshold"],
            precision_at=config["evaluate"]["precision_at"],
            calibration_bins=config["evaluate"]["calibration_bins"],
            resamples=config["evaluate"]["bootstrap"]["resamples"],
            confidence=config["evaluate"]["bootstrap"]["confidence"],
            bootstrap_seed=config["evaluate"]["bootstrap"]["seed"],
            batch_size=config["evaluate"]["batch_size"],
        ),
        model_source=model_source,
        features_source=features_source,
    message:
        "Evaluate {wildcards.model}, seed {wildcards.seed}, on the test clips"
    shell:
        "autotagging evaluate {params.files} {params.settings} --threads {threads}"
        " --unfinished unfinished/train/{wildcards.model}/seed-{wildcards.seed}"
        " 2>&1 | tee {log}"
