# One rule per figure and table of the paper, and one that asks for all of them.

FIGURE_CODE = rooms(
    "steps/figures",
    "common",
    "corpus",
    "dataset",
    "mel",
    "metrics",
    "training",
    "reporting",
    "reporting/plots",
    "reporting/tables",
    "reporting/templates",
)

# Networks are drawn, other models compared. Figures of one training show the first network (of one
# clip's tags: the first model) and seed of params.yaml.
NETWORKS = [model for model in config["models"] if listens(model)]
ALL = {"model": config["models"], "seed": config["train"]["seeds"]}
TRAINED = {**ALL, "model": NETWORKS}
FIRST = {"model": config["models"][0], "seed": config["train"]["seeds"][0]}
FIRST_TRAINED = {**FIRST, "model": NETWORKS[:1]}
SHOWN = {**FIRST, "model": (NETWORKS or config["models"])[0]}


rule figure_2:
    input:
        tags=rules.merge_tags.output.tags,
        raw_tags=rules.merge_tags.output.raw_tags,
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/figure_2.svg",
            caption="../report/figure_2.rst",
            category="Figures",
            labels={"figure": "Fig. 2: merging of tags"},
        ),
        png="results/figures/figure_2.png",
    log:
        "logs/figures/figure_2.log",
    benchmark:
        "logs/figures/figure_2.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        corpus=config["corpus"],
    message:
        "Fig. 2, merging of tags"
    shell:
        "autotagging figures figure_2 --tags {input.tags} --raw-tags {input.raw_tags}"
        " --corpus {params.corpus:q} --svg {output.svg} --png {output.png} > {log} 2>&1"


rule tag_distribution:
    input:
        raw_tags=rules.merge_tags.output.raw_tags,
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/tag_distribution.svg",
            caption="../report/tag_distribution.rst",
            category="Figures",
            labels={"figure": "Clips per tag"},
        ),
        png="results/figures/tag_distribution.png",
        csv="results/figures/tag_distribution.csv",
        md="results/figures/tag_distribution.md",
        tex="results/figures/tag_distribution.tex",
        html=report(
            "results/figures/tag_distribution.html",
            caption="../report/tag_distribution.rst",
            category="Tables",
            labels={"table": "Clips per tag"},
        ),
    log:
        "logs/figures/tag_distribution.log",
    benchmark:
        "logs/figures/tag_distribution.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        corpus=config["corpus"],
    message:
        "Clips per tag, before and after merging"
    shell:
        "autotagging figures tag_distribution --raw-tags {input.raw_tags}"
        " --corpus {params.corpus:q} --svg {output.svg} --png {output.png}"
        " --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule mel_examples:
    input:
        labels=rules.merge_tags.output.labels,
        summary=rules.extract_mel.output.summary,
        front_end=rules.extract_mel.output.front_end,
        shards=rules.extract_mel.input.shards,
        spectrograms=rules.extract_mel.input.spectrograms,
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/mel_examples.svg",
            caption="../report/mel_examples.rst",
            category="Figures",
            labels={"figure": "Spectrograms of every tag"},
        ),
        png="results/figures/mel_examples.png",
    log:
        "logs/figures/mel_examples.log",
    benchmark:
        "logs/figures/mel_examples.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        clips_per_tag=config["figures"]["clips_per_tag"],
        corpus=config["corpus"],
    message:
        "Spectrograms of {params.clips_per_tag} clips of every tag"
    shell:
        "autotagging figures mel_examples --labels {input.labels} --summary {input.summary}"
        " --front-end {input.front_end} --clips-per-tag {params.clips_per_tag}"
        " --corpus {params.corpus:q} --svg {output.svg} --png {output.png} > {log} 2>&1"


rule figure_3:
    input:
        clips=rules.download.output.clips,
        audio=rules.download.output.audio,
        split=rules.split.output.split,
        model_json=expand(rules.train.output.model_json, **FIRST_TRAINED),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/figure_3.svg",
            caption="../report/figure_3.rst",
            category="Figures",
            labels={"figure": "Fig. 3: preprocessing"},
        ),
        png="results/figures/figure_3.png",
    log:
        "logs/figures/figure_3.log",
    benchmark:
        "logs/figures/figure_3.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        download=subpath(input.clips, parent=True),
        clip_id=config["figures"]["clip_id"],
    message:
        "Fig. 3, preprocessing of one clip"
    shell:
        "autotagging figures figure_3 --split {input.split} --model-json {input.model_json}"
        " --download {params.download} --clip-id {params.clip_id} --svg {output.svg}"
        " --png {output.png} > {log} 2>&1"


rule figure_4:
    input:
        model_json=expand(rules.train.output.model_json, **FIRST_TRAINED),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/figure_4.svg",
            caption="../report/figure_4.rst",
            category="Figures",
            labels={"figure": "Fig. 4: architecture"},
        ),
        png="results/figures/figure_4.png",
    log:
        "logs/figures/figure_4.log",
    benchmark:
        "logs/figures/figure_4.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Fig. 4, architecture"
    shell:
        "autotagging figures figure_4 --model-json {input.model_json} --svg {output.svg}"
        " --png {output.png} > {log} 2>&1"


rule figure_5:
    input:
        history=expand(rules.train.output.history, **TRAINED),
        model_json=expand(rules.train.output.model_json, **TRAINED),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/figure_5.svg",
            caption="../report/figure_5.rst",
            category="Figures",
            labels={"figure": "Fig. 5: loss"},
        ),
        png="results/figures/figure_5.png",
    log:
        "logs/figures/figure_5.log",
    benchmark:
        "logs/figures/figure_5.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Fig. 5, loss per epoch"
    shell:
        "autotagging figures figure_5 --history {input.history}"
        " --model-json {input.model_json} --svg {output.svg} --png {output.png}"
        " > {log} 2>&1"


rule figure_6:
    input:
        predictions=expand(rules.evaluate.output.predictions, **FIRST),
        metrics=expand(rules.evaluate.output.metrics, **FIRST),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/figure_6.svg",
            caption="../report/figure_6.rst",
            category="Figures",
            labels={"figure": "Fig. 6: tags of a clip"},
        ),
        png="results/figures/figure_6.png",
    log:
        "logs/figures/figure_6.log",
    benchmark:
        "logs/figures/figure_6.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        clip_id=config["figures"]["clip_id"],
    message:
        "Fig. 6, tags of one test clip"
    shell:
        "autotagging figures figure_6 --predictions {input.predictions}"
        " --metrics {input.metrics} --clip-id {params.clip_id} --svg {output.svg}"
        " --png {output.png} > {log} 2>&1"


rule figure_7:
    input:
        history=expand(rules.train.output.history, **TRAINED),
        model_json=expand(rules.train.output.model_json, **TRAINED),
        per_epoch=expand(rules.evaluate.output.per_epoch, **ALL),
        roc=expand(rules.evaluate.output.roc, **ALL),
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        published="workflow/resources/published.yaml",
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/figure_7.svg",
            caption="../report/figure_7.rst",
            category="Figures",
            labels={"figure": "Fig. 7: ROC-AUC"},
        ),
        png="results/figures/figure_7.png",
    log:
        "logs/figures/figure_7.log",
    benchmark:
        "logs/figures/figure_7.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Fig. 7, ROC-AUC per epoch and ROC curve"
    shell:
        "autotagging figures figure_7 --history {input.history}"
        " --model-json {input.model_json} --per-epoch {input.per_epoch} --roc {input.roc}"
        " --metrics {input.metrics} --published {input.published} --svg {output.svg} --png {output.png} > {log} 2>&1"


rule calibration:
    input:
        calibration=expand(rules.evaluate.output.calibration, **ALL),
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/calibration.svg",
            caption="../report/calibration.rst",
            category="Figures",
            labels={"figure": "Calibration"},
        ),
        png="results/figures/calibration.png",
    log:
        "logs/figures/calibration.log",
    benchmark:
        "logs/figures/calibration.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Calibration of the scores"
    shell:
        "autotagging figures calibration --calibration {input.calibration}"
        " --metrics {input.metrics} --svg {output.svg} --png {output.png} > {log} 2>&1"


rule tag_scores:
    input:
        per_tag=expand(rules.evaluate.output.per_tag, **ALL),
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/tag_scores.svg",
            caption="../report/tag_scores.rst",
            category="Figures",
            labels={"figure": "ROC-AUC by tag"},
        ),
        png="results/figures/tag_scores.png",
        csv="results/figures/tag_scores.csv",
        md="results/figures/tag_scores.md",
        tex="results/figures/tag_scores.tex",
        html=report(
            "results/figures/tag_scores.html",
            caption="../report/tag_scores.rst",
            category="Tables",
            labels={"table": "ROC-AUC by tag"},
        ),
    log:
        "logs/figures/tag_scores.log",
    benchmark:
        "logs/figures/tag_scores.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "ROC-AUC by tag"
    shell:
        "autotagging figures tag_scores --per-tag {input.per_tag} --metrics {input.metrics}"
        " --svg {output.svg} --png {output.png}"
        " --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule category_scores:
    input:
        per_category=expand(rules.evaluate.output.per_category, **ALL),
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        code=FIGURE_CODE,
    output:
        svg=report(
            "results/figures/category_scores.svg",
            caption="../report/category_scores.rst",
            category="Figures",
            labels={"figure": "ROC-AUC by category"},
        ),
        png="results/figures/category_scores.png",
        csv="results/figures/category_scores.csv",
        md="results/figures/category_scores.md",
        tex="results/figures/category_scores.tex",
        html=report(
            "results/figures/category_scores.html",
            caption="../report/category_scores.rst",
            category="Tables",
            labels={"table": "ROC-AUC by category"},
        ),
    log:
        "logs/figures/category_scores.log",
    benchmark:
        "logs/figures/category_scores.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "ROC-AUC by category"
    shell:
        "autotagging figures category_scores --per-category {input.per_category} --metrics {input.metrics}"
        " --svg {output.svg} --png {output.png}"
        " --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule all_metrics:
    input:
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        code=FIGURE_CODE,
    output:
        csv="results/figures/all_metrics.csv",
        md="results/figures/all_metrics.md",
        tex="results/figures/all_metrics.tex",
        html=report(
            "results/figures/all_metrics.html",
            caption="../report/all_metrics.rst",
            category="Tables",
            labels={"table": "All metrics"},
        ),
    log:
        "logs/figures/all_metrics.log",
    benchmark:
        "logs/figures/all_metrics.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "All metrics of all models"
    shell:
        "autotagging figures all_metrics --metrics {input.metrics}"
        " --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule epoch_choices:
    input:
        metrics=expand(rules.evaluate.output.metrics, **TRAINED),
        code=FIGURE_CODE,
    output:
        csv="results/figures/epoch_choices.csv",
        md="results/figures/epoch_choices.md",
        tex="results/figures/epoch_choices.tex",
        html=report(
            "results/figures/epoch_choices.html",
            caption="../report/epoch_choices.rst",
            category="Tables",
            labels={"table": "Choice of the epoch"},
        ),
    log:
        "logs/figures/epoch_choices.log",
    benchmark:
        "logs/figures/epoch_choices.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Test clips at the best epoch, the last, and the best on them"
    shell:
        "autotagging figures epoch_choices --metrics {input.metrics}"
        " --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule differences:
    input:
        predictions=expand(rules.evaluate.output.predictions, **ALL),
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        tags=rules.merge_tags.output.tags,
        code=FIGURE_CODE,
    output:
        csv="results/figures/differences.csv",
        md="results/figures/differences.md",
        tex="results/figures/differences.tex",
        html=report(
            "results/figures/differences.html",
            caption="../report/differences.rst",
            category="Tables",
            labels={"table": "Differences between models"},
        ),
    log:
        "logs/figures/differences.log",
    benchmark:
        "logs/figures/differences.tsv"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        resamples=config["evaluate"]["bootstrap"]["resamples"],
        confidence=config["evaluate"]["bootstrap"]["confidence"],
        bootstrap_seed=config["evaluate"]["bootstrap"]["seed"],
    message:
        "Differences between models"
    shell:
        "autotagging figures differences --predictions {input.predictions}"
        " --metrics {input.metrics} --tags {input.tags} --resamples {params.resamples}"
        " --confidence {params.confidence} --bootstrap-seed {params.bootstrap_seed}"
        " --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule table_1:
    input:
        model_json=expand(rules.train.output.model_json, **FIRST_TRAINED),
        code=FIGURE_CODE,
    output:
        csv="results/figures/table_1.csv",
        md="results/figures/table_1.md",
        tex="results/figures/table_1.tex",
        html=report(
            "results/figures/table_1.html",
            caption="../report/table_1.rst",
            category="Tables",
            labels={"table": "Table 1: front end"},
        ),
    log:
        "logs/figures/table_1.log",
    benchmark:
        "logs/figures/table_1.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Table 1, front end"
    shell:
        "autotagging figures table_1 --model-json {input.model_json} --csv {output.csv}"
        " --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule table_2:
    input:
        model_json=expand(rules.train.output.model_json, **FIRST_TRAINED),
        code=FIGURE_CODE,
    output:
        csv="results/figures/table_2.csv",
        md="results/figures/table_2.md",
        tex="results/figures/table_2.tex",
        html=report(
            "results/figures/table_2.html",
            caption="../report/table_2.rst",
            category="Tables",
            labels={"table": "Table 2: layers"},
        ),
    log:
        "logs/figures/table_2.log",
    benchmark:
        "logs/figures/table_2.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Table 2, layers"
    shell:
        "autotagging figures table_2 --model-json {input.model_json} --csv {output.csv}"
        " --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule table_4:
    input:
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        published="workflow/resources/published.yaml",
        code=FIGURE_CODE,
    output:
        csv="results/figures/table_4.csv",
        md="results/figures/table_4.md",
        tex="results/figures/table_4.tex",
        html=report(
            "results/figures/table_4.html",
            caption="../report/table_4.rst",
            category="Tables",
            labels={"table": "Table 4: comparison"},
        ),
    log:
        "logs/figures/table_4.log",
    benchmark:
        "logs/figures/table_4.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Table 4, comparison"
    shell:
        "autotagging figures table_4 --metrics {input.metrics}"
        " --published {input.published} --csv {output.csv} --md {output.md} --html {output.html}"
        " --tex {output.tex} > {log} 2>&1"


rule summary:
    input:
        metrics=expand(rules.evaluate.output.metrics, **ALL),
        per_tag=expand(rules.evaluate.output.per_tag, **SHOWN),
        per_category=expand(rules.evaluate.output.per_category, **SHOWN),
        predictions=expand(rules.evaluate.output.predictions, **SHOWN),
        split=rules.split.output.split,
        leakage=rules.split.output.leakage,
        clips=rules.download.output.clips,
        audio=rules.download.output.audio,
        published="workflow/resources/published.yaml",
        figure_5=branch(NETWORKS, then=rules.figure_5.output.svg),
        figure_7=rules.figure_7.output.svg,
        code=FIGURE_CODE,
    output:
        html=report(
            "results/figures/summary.html",
            caption="../report/summary.rst",
            category="Summary",
            labels={"page": "The first page, by itself"},
        ),
        json="results/figures/summary.json",
    log:
        "logs/figures/summary.log",
    benchmark:
        "logs/figures/summary.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        download=subpath(input.clips, parent=True),
        figure_5=flags("figure_5"),
    message:
        "First page of the report"
    shell:
        "autotagging figures summary --metrics {input.metrics} --per-tag {input.per_tag}"
        " --per-category {input.per_category}"
        " --predictions {input.predictions} --split {input.split} --leakage {input.leakage}"
        " --download {params.download} --published {input.published} {params.figure_5}"
        " --figure-7 {input.figure_7} --html {output.html} --json {output.json} > {log} 2>&1"


rule figures:
    input:
        rules.figure_2.output,
        rules.tag_distribution.output,
        rules.figure_6.output,
        rules.figure_7.output,
        rules.table_4.output,
        rules.summary.output,
        rules.calibration.output,
        rules.tag_scores.output,
        rules.category_scores.output,
        rules.all_metrics.output,
        branch(len(config["models"]) > 1, then=rules.differences.output),
        branch(
            NETWORKS,
            then=[
                rules.mel_examples.output,
                rules.figure_3.output,
                rules.figure_4.output,
                rules.figure_5.output,
                rules.table_1.output,
                rules.table_2.output,
                rules.epoch_choices.output,
            ],
        ),
    message:
        "All figures and tables are in results/figures"
