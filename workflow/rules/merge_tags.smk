OWN_VOCABULARY = own_vocabulary()


rule merge_tags:
    input:
        **({} if OWN_VOCABULARY else {"vocabulary": local("workflow/resources/tags.yaml")}),
        annotations=rules.download.output.annotations,
    output:
        **({"vocabulary_copy": f"results/merge_tags/{VOCABULARY_COPY}"} if OWN_VOCABULARY else {}),
        labels="results/merge_tags/labels.csv",
        other_labels="results/merge_tags/other_labels.csv",
        tags="results/merge_tags/tags.csv",
        raw_tags="results/merge_tags/raw_tags.csv",
        tag_settings="results/merge_tags/settings.json",
        versions="results/merge_tags/versions.json",
        checksums="results/merge_tags/SHA256SUMS",
    log:
        "logs/merge_tags/merge_tags.log",
    benchmark:
        "logs/merge_tags/benchmark.tsv"
    threads: 1
    resources:
        mem_mb=3000,
    params:
        **sources(
            OWN_VOCABULARY or "workflow/resources/tags.yaml",
            "src/autotagging/steps/merge_tags.py",
            "src/autotagging/common",
            "src/autotagging/corpus",
            "src/autotagging/labels",
        ),
        files=files,
        settings=settings(
            # No input, because braces in the path would be wildcards.
            **({"vocabulary": OWN_VOCABULARY} if OWN_VOCABULARY else {}),
            synonyms=config["merge_tags"]["synonyms"],
            n_tags=config["merge_tags"]["n_tags"],
        ),
    message:
        "Merge synonymous tags and keep the {config[merge_tags][n_tags]} most frequent"
    shell:
        "autotagging merge_tags {params.files} {params.settings} > {log} 2>&1"
