rule evaluate:
    input:
        unpack(features),
        model_json=rules.train.output.model_json,
        weights=rules.train.output.weights,
        labels=rules.merge_tags.output.labels,
        split=rules.split.output.split,
        code=modules(
            "steps/evaluate",
            "annotations",
            "checkpoints",
            "devices",
            "errors",
            "files",
            "layout",
            "memory",
            "metrics",
            "modelfile",
            "models/__init__",
            "models/crnn",
            "models/fused",
            "models/layers",
            "models/lookup",
            "models/passes",
            "partition",
            "prefetch",
            "progress",
            "store",
            "training",
            "tsv",
            "vocabulary",
        ),
    output:
        predictions="results/evaluate/{model}/seed-{seed}/predictions.npz",
        metrics="results/evaluate/{model}/seed-{seed}/metrics.json",
        per_tag="results/evaluate/{model}/seed-{seed}/per_tag.csv",
        roc="results/evaluate/{model}/seed-{seed}/roc.csv",
    log:
        "logs/evaluate/{model}/seed-{seed}/evaluate.log",
    benchmark:
        "logs/evaluate/{model}/seed-{seed}/benchmark.tsv"
    threads: workflow.cores
    resources:
        mem_mb=4000,
    params:
        features=flags("mel", "front_end", "clip_info"),
        threshold=config["evaluate"]["threshold"],
        batch_size=config["evaluate"]["batch_size"],
    message:
        "Evaluate {wildcards.model}, seed {wildcards.seed}, on the test clips"
    shell:
        "autotagging evaluate --model-json {input.model_json} --labels {input.labels}"
        " --split {input.split} {params.features}"
        " --threshold {params.threshold} --batch-size {params.batch_size} --threads {threads}"
        " --predictions {output.predictions} --metrics {output.metrics}"
        " --per-tag {output.per_tag} --roc {output.roc} 2>&1 | tee {log}"
