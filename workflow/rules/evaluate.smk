rule evaluate:
    input:
        unpack(spectrograms),
        model_json=rules.train.output.model_json,
        weights=rules.train.output.weights,
        epoch_weights=rules.train.output.epoch_weights,
        labels=rules.merge_tags.output.labels,
        tags=rules.merge_tags.output.tags,
        split=rules.split.output.split,
        groups=rules.download.output.groups,
        code=model_rooms(
            "steps/evaluate.py", "common", "dataset", "training", "metrics", "models/lookup"
        ),
    output:
        predictions="results/evaluate/{model}/seed-{seed}/predictions.npz",
        metrics="results/evaluate/{model}/seed-{seed}/metrics.json",
        per_tag="results/evaluate/{model}/seed-{seed}/per_tag.csv",
        per_category="results/evaluate/{model}/seed-{seed}/per_category.csv",
        per_epoch="results/evaluate/{model}/seed-{seed}/per_epoch.csv",
        roc="results/evaluate/{model}/seed-{seed}/roc.csv",
        calibration="results/evaluate/{model}/seed-{seed}/calibration.csv",
    log:
        "logs/evaluate/{model}/seed-{seed}/evaluate.log",
    benchmark:
        "logs/evaluate/{model}/seed-{seed}/benchmark.tsv"
    threads: workflow.cores
    resources:
        mem_mb=4000,
        runtime=lambda wildcards: 1440 if listens(wildcards.model) else 60,
    params:
        spectrograms=flags("mel", "front_end"),
        pseudo_count=config["train"]["lookup"]["pseudo_count"],
        threshold=config["evaluate"]["threshold"],
        precision_at=config["evaluate"]["precision_at"],
        calibration_bins=config["evaluate"]["calibration_bins"],
        resamples=config["evaluate"]["bootstrap"]["resamples"],
        confidence=config["evaluate"]["bootstrap"]["confidence"],
        bootstrap_seed=config["evaluate"]["bootstrap"]["seed"],
        batch_size=config["evaluate"]["batch_size"],
    message:
        "Evaluate {wildcards.model}, seed {wildcards.seed}, on the test clips"
    shell:
        "autotagging evaluate --model-json {input.model_json} --labels {input.labels}"
        " --tags {input.tags} --split {input.split} --groups {input.groups}"
        " {params.spectrograms} --pseudo-count {params.pseudo_count}"
        " --threshold {params.threshold} --precision-at {params.precision_at}"
        " --calibration-bins {params.calibration_bins} --resamples {params.resamples}"
        " --confidence {params.confidence} --bootstrap-seed {params.bootstrap_seed}"
        " --batch-size {params.batch_size} --threads {threads}"
        " --predictions {output.predictions} --metrics {output.metrics}"
        " --per-tag {output.per_tag} --per-category {output.per_category}"
        " --per-epoch {output.per_epoch} --roc {output.roc} --calibration {output.calibration}"
        " 2>&1 | tee {log}"
