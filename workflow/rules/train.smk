rule train:
    input:
        unpack(features),
        labels=rules.merge_tags.output.labels,
        split=rules.split.output.split,
        audio=rules.download.output.audio,
        code=model_rooms("steps/train.py", "common", "dataset", "training"),
    output:
        weights="results/train/{model}/seed-{seed}/weights.npz",
        epoch_weights="results/train/{model}/seed-{seed}/epochs.npz",
        model_json="results/train/{model}/seed-{seed}/model.json",
        history="results/train/{model}/seed-{seed}/history.csv",
    log:
        text="logs/train/{model}/seed-{seed}/train.log",
        times="logs/train/{model}/seed-{seed}/times.csv",
    benchmark:
        "logs/train/{model}/seed-{seed}/benchmark.tsv"
    threads: workflow.cores
    resources:
        gpu=lambda wildcards: int(reads_mel(wildcards.model)),
        mem_mb=int(250 * config["train"]["batch_size"] + 1000 * config["train"]["cache"]),
        # These two change no result; as params, they would trigger a new training.
        cache_gb=str(config["train"]["cache"]),
        checkpoint_minutes=str(config["train"]["checkpoint_minutes"]),
        runtime=lambda wildcards: 1440 if reads_mel(wildcards.model) else 60,
    params:
        launcher=launcher,
        features=flags("mel", "front_end", "groups"),
        scheme=config["split"]["scheme"],
        synonyms=config["merge_tags"]["synonyms"],
        batch_size=config["train"]["batch_size"],
        epochs=epochs(),
        learning_rate=config["train"]["learning_rate"],
        schedule=config["train"]["schedule"],
        output_bias=config["train"]["output_bias"],
        monitor=config["train"]["monitor"],
        patience=config["train"]["patience"],
        keep_epochs=config["train"]["keep_epochs"],
        options=model_options,
        devices=config["train"]["devices"],
        xla=config["train"]["xla"],
        precision=config["train"]["precision"],
        unfinished="unfinished/train/{model}/seed-{seed}",
    message:
        "Train {wildcards.model}, seed {wildcards.seed}, on the training clips"
    shell:
        "{params.launcher}autotagging train --model {wildcards.model} --seed {wildcards.seed}"
        " --scheme {params.scheme} --synonyms {params.synonyms} --labels {input.labels} --split {input.split}"
        " --audio {input.audio} {params.features} --batch-size {params.batch_size}"
        " --epochs {params.epochs} --learning-rate {params.learning_rate}"
        " --schedule {params.schedule}"
        " --output-bias {params.output_bias} --monitor {params.monitor} --patience {params.patience}"
        " --keep-epochs {params.keep_epochs}"
        " --options {params.options} --threads {threads} --devices {params.devices} --xla={params.xla}"
        " --precision {params.precision}"
        " --checkpoint-minutes {resources.checkpoint_minutes} --cache {resources.cache_gb}"
        " --unfinished {params.unfinished}"
        " --weights {output.weights} --epoch-weights {output.epoch_weights}"
        " --model-json {output.model_json} --history {output.history}"
        " --times {log.times} 2>&1 | tee {log.text}"
