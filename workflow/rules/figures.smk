# One rule per figure and table, and one that requests all of them.


# Figures show models and seeds in the order of params.yaml, which the inputs do not tell Snakemake.
FIGURE_SOURCES = {
    **sources(
        "src/autotagging/steps/figures",
        "src/autotagging/common",
        "src/autotagging/corpus",
        "src/autotagging/dataset",
        "src/autotagging/mel",
        "src/autotagging/metrics",
        "src/autotagging/training",
        "src/autotagging/reporting",
        "src/autotagging/reporting/plots",
        "src/autotagging/reporting/tables",
        "src/autotagging/reporting/templates",
    ),
    "order": settings(models=config["models"], seeds=config["train"]["seeds"]),
}
PUBLISHED = "workflow/resources/published.yaml"

# Figures of one training show the first network and seed of params.yaml; Fig. 6 shows the first
# model. Figures of layers are only of networks, those of learning curves of models that read audio.
NETWORKS = [model for model in config["models"] if reads(model) == "mel"]
AUDIO = [model for model in config["models"] if reads_spectrograms(model)]
ALL = {"model": config["models"], "seed": config["train"]["seeds"]}
TRAINED = {**ALL, "model": AUDIO}
FIRST = {"model": config["models"][0], "seed": config["train"]["seeds"][0]}
FIRST_TRAINED = {**FIRST, "model": NETWORKS[:1]}
SHOWN = {**FIRST, "model": (AUDIO or config["models"])[0]}


rule figure_2:
    input:
        tags=rules.merge_tags.output.tags,
        raw_tags=rules.merge_tags.output.raw_tags,
        audio=rules.download.output.audio,
    output:
        **figure_files("figure_2"),
    log:
        "logs/figures/figure_2.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("figure_2")
    shell:
        "autotagging figures figure_2 {params.files} > {log} 2>&1"


rule tag_distribution:
    input:
        raw_tags=rules.merge_tags.output.raw_tags,
        audio=rules.download.output.audio,
    output:
        **figure_files("tag_distribution"),
        **table_files("tag_distribution"),
    log:
        "logs/figures/tag_distribution.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("tag_distribution")
    shell:
        "autotagging figures tag_distribution {params.files} > {log} 2>&1"


rule figure_6:
    input:
        predictions=paths(rules.evaluate.output.predictions, **FIRST),
        metrics=paths(rules.evaluate.output.metrics, **FIRST),
    output:
        **figure_files("figure_6"),
    log:
        "logs/figures/figure_6.log",
    params:
        **FIGURE_SOURCES,
        files=files,
        settings=settings(clip_id=config["figures"]["clip_id"]),
    message:
        figure_title("figure_6")
    shell:
        "autotagging figures figure_6 {params.files} {params.settings} > {log} 2>&1"


rule figure_7:
    input:
        history=paths(rules.train.output.history, **TRAINED),
        model_json=paths(rules.train.output.model_json, **TRAINED),
        per_epoch=paths(rules.evaluate.output.per_epoch, **ALL),
        roc=paths(rules.evaluate.output.roc, **ALL),
        metrics=paths(rules.evaluate.output.metrics, **ALL),
        published=local(PUBLISHED),
    output:
        **figure_files("figure_7"),
    log:
        "logs/figures/figure_7.log",
    params:
        **FIGURE_SOURCES,
        **sources(PUBLISHED),
        files=files,
    message:
        figure_title("figure_7")
    shell:
        "autotagging figures figure_7 {params.files} > {log} 2>&1"


rule calibration:
    input:
        calibration=paths(rules.evaluate.output.calibration, **ALL),
        metrics=paths(rules.evaluate.output.metrics, **ALL),
    output:
        **figure_files("calibration"),
    log:
        "logs/figures/calibration.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("calibration")
    shell:
        "autotagging figures calibration {params.files} > {log} 2>&1"


rule tag_scores:
    input:
        per_tag=paths(rules.evaluate.output.per_tag, **ALL),
        metrics=paths(rules.evaluate.output.metrics, **ALL),
    output:
        **figure_files("tag_scores"),
        **table_files("tag_scores"),
    log:
        "logs/figures/tag_scores.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("tag_scores")
    shell:
        "autotagging figures tag_scores {params.files} > {log} 2>&1"


rule category_scores:
    input:
        per_category=paths(rules.evaluate.output.per_category, **ALL),
        metrics=paths(rules.evaluate.output.metrics, **ALL),
    output:
        **figure_files("category_scores"),
        **table_files("category_scores"),
    log:
        "logs/figures/category_scores.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("category_scores")
    shell:
        "autotagging figures category_scores {params.files} > {log} 2>&1"


rule all_metrics:
    input:
        metrics=paths(rules.evaluate.output.metrics, **ALL),
    output:
        **table_files("all_metrics"),
    log:
        "logs/figures/all_metrics.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("all_metrics")
    shell:
        "autotagging figures all_metrics {params.files} > {log} 2>&1"


rule table_4:
    input:
        metrics=paths(rules.evaluate.output.metrics, **ALL),
        model_json=paths(rules.train.output.model_json, **ALL),
        published=local(PUBLISHED),
    output:
        **table_files("table_4"),
    log:
        "logs/figures/table_4.log",
    params:
        **FIGURE_SOURCES,
        **sources(PUBLISHED),
        files=files,
    message:
        figure_title("table_4")
    shell:
        "autotagging figures table_4 {params.files} > {log} 2>&1"


rule model_card:
    input:
        metrics=paths(rules.evaluate.output.metrics, **ALL),
        model_json=paths(rules.train.output.model_json, **ALL),
        leakage=rules.split.output.leakage,
    output:
        cards=paths("results/figures/model_card/{model}-seed-{seed}.md", **ALL),
        versions="results/figures/versions/model_card.json",
    log:
        "logs/figures/model_card.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("model_card")
    shell:
        "autotagging figures model_card {params.files} > {log} 2>&1"


rule cost:
    input:
        metrics=paths(rules.evaluate.output.metrics, **ALL),
        model_json=paths(rules.train.output.model_json, **ALL),
    output:
        **figure_files("cost"),
    log:
        "logs/figures/cost.log",
    params:
        **FIGURE_SOURCES,
        files=files,
    message:
        figure_title("cost")
    shell:
        "autotagging figures cost {params.files} > {log} 2>&1"


if NETWORKS:

    rule mel_examples:
        input:
            SHARD_FILES,
            labels=rules.merge_tags.output.labels,
            summary=rules.extract_mel.output.summary,
            front_end=rules.extract_mel.output.front_end,
            audio=rules.download.output.audio,
        output:
            **figure_files("mel_examples"),
        log:
            "logs/figures/mel_examples.log",
        params:
            **FIGURE_SOURCES,
            files=files,
            settings=settings(clips_per_tag=config["figures"]["clips_per_tag"]),
        message:
            figure_title("mel_examples")
        shell:
            "autotagging figures mel_examples {params.files} {params.settings} > {log} 2>&1"

    rule figure_3:
        input:
            rules.download.output.clips,
            rules.download.output.audio,
            split=rules.split.output.split,
            model_json=paths(rules.train.output.model_json, **FIRST_TRAINED),
        output:
            **figure_files("figure_3"),
        log:
            "logs/figures/figure_3.log",
        params:
            **FIGURE_SOURCES,
            files=files,
            settings=settings(
                download=Path(rules.download.output.clips).parent,
                clip_id=config["figures"]["clip_id"],
            ),
        message:
            figure_title("figure_3")
        shell:
            "autotagging figures figure_3 {params.files} {params.settings} > {log} 2>&1"

    rule figure_4:
        input:
            model_json=paths(rules.train.output.model_json, **FIRST_TRAINED),
        output:
            **figure_files("figure_4"),
        log:
            "logs/figures/figure_4.log",
        params:
            **FIGURE_SOURCES,
            files=files,
        message:
            figure_title("figure_4")
        shell:
            "autotagging figures figure_4 {params.files} > {log} 2>&1"

    rule table_1:
        input:
            model_json=paths(rules.train.output.model_json, **FIRST_TRAINED),
        output:
            **table_files("table_1"),
        log:
            "logs/figures/table_1.log",
        params:
            **FIGURE_SOURCES,
            files=files,
        message:
            figure_title("table_1")
        shell:
            "autotagging figures table_1 {params.files} > {log} 2>&1"

    rule table_2:
        input:
            model_json=paths(rules.train.output.model_json, **FIRST_TRAINED),
        output:
            **table_files("table_2"),
        log:
            "logs/figures/table_2.log",
        params:
            **FIGURE_SOURCES,
            files=files,
        message:
            figure_title("table_2")
        shell:
            "autotagging figures table_2 {params.files} > {log} 2>&1"


if AUDIO:

    rule figure_5:
        input:
            history=paths(rules.train.output.history, **TRAINED),
            model_json=paths(rules.train.output.model_json, **TRAINED),
        output:
            **figure_files("figure_5"),
        log:
            "logs/figures/figure_5.log",
        params:
            **FIGURE_SOURCES,
            files=files,
        message:
            figure_title("figure_5")
        shell:
            "autotagging figures figure_5 {params.files} > {log} 2>&1"

    rule epoch_choices:
        input:
            metrics=paths(rules.evaluate.output.metrics, **TRAINED),
        output:
            **table_files("epoch_choices"),
        log:
            "logs/figures/epoch_choices.log",
        params:
            **FIGURE_SOURCES,
            files=files,
        message:
            figure_title("epoch_choices")
        shell:
            "autotagging figures epoch_choices {params.files} > {log} 2>&1"


if len(config["models"]) > 1:

    rule differences:
        input:
            predictions=paths(rules.evaluate.output.predictions, **ALL),
            metrics=paths(rules.evaluate.output.metrics, **ALL),
            tags=rules.merge_tags.output.tags,
        output:
            **table_files("differences"),
        log:
            "logs/figures/differences.log",
        params:
            **FIGURE_SOURCES,
            files=files,
            settings=settings(
                resamples=config["evaluate"]["bootstrap"]["resamples"],
                confidence=config["evaluate"]["bootstrap"]["confidence"],
                bootstrap_seed=config["evaluate"]["bootstrap"]["seed"],
            ),
        message:
            figure_title("differences")
        shell:
            "autotagging figures differences {params.files} {params.settings} > {log} 2>&1"


rule summary:
    input:
        rules.download.output.clips,
        rules.download.output.audio,
        metrics=paths(rules.evaluate.output.metrics, **ALL),
        model_json=paths(rules.train.output.model_json, **ALL),
        per_tag=paths(rules.evaluate.output.per_tag, **SHOWN),
        per_category=paths(rules.evaluate.output.per_category, **SHOWN),
        predictions=paths(rules.evaluate.output.predictions, **SHOWN),
        split=rules.split.output.split,
        leakage=rules.split.output.leakage,
        published=local(PUBLISHED),
        figure_5=[rules.figure_5.output.svg] if AUDIO else [],
        figure_7=rules.figure_7.output.svg,
        cost=rules.cost.output.svg,
    output:
        html=in_report("results/figures/summary.html", "summary", category="Summary", column="page"),
        json="results/figures/summary.json",
        versions="results/figures/versions/summary.json",
    log:
        "logs/figures/summary.log",
    params:
        **FIGURE_SOURCES,
        **sources(PUBLISHED),
        files=files,
        settings=settings(download=Path(rules.download.output.clips).parent),
    message:
        figure_title("summary")
    shell:
        "autotagging figures summary {params.files} {params.settings} > {log} 2>&1"


rule figures:
    input:
        all_figures,
    message:
        "All figures and tables are in results/figures"
