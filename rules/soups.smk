RECIPES = [id for id, soup in plan.soups.items() if not soup["merge"]]
MERGES = [id for id, soup in plan.soups.items() if soup["merge"]]


rule soup:
    """Find one merge on the held-out set and write its recipe."""
    input:
        unpack(lambda w: prefixed("held_out", dataset_files(plan.soups[w.soup]["held_out"]))),
        unpack(lambda w: prefixed("train", dataset_files(*training_of(w.soup)))),
        unpack(lambda w: classifier_files(*classifiers_of(w.soup))),
        compared=compared(),
    output:
        "<results>/recipes/{soup}.json",
    log:
        "<results>/logs/soup/{soup}.log",
    benchmark:
        "<results>/benchmarks/{soup}.tsv"
    wildcard_constraints:
        soup=one_of(RECIPES),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=lambda w, attempt: for_merging(w).again(attempt).mb,
        runtime=lambda w, attempt: for_merging(w).again(attempt).minutes,
    params:
        spec=lambda w: plan.soups[w.soup]["spec"],
        code=lambda w: code_digest(
            "soup.py", plugin("merging/methods", plan.soups[w.soup]["spec"]["method"])
        ),
    message:
        "Making {wildcards.soup}"
    script:
        "../workflow_scripts/soup.py"


rule merge:
    """Write the weights of one merge that is not linear."""
    input:
        unpack(lambda w: prefixed("held_out", dataset_files(plan.soups[w.soup]["held_out"]))),
        unpack(lambda w: prefixed("train", dataset_files(*training_of(w.soup)))),
        unpack(lambda w: classifier_files(*classifiers_of(w.soup))),
        averages=lambda w: averages_of(w.soup),
        compared=compared(),
    output:
        card="<results>/classifiers/{soup}/classifier.json",
        weights="<results>/classifiers/{soup}/classifier.safetensors",
    log:
        "<results>/logs/merge/{soup}.log",
    benchmark:
        "<results>/benchmarks/{soup}.tsv"
    wildcard_constraints:
        soup=one_of(MERGES),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=lambda w, attempt: for_merging(w).again(attempt).mb,
        runtime=lambda w, attempt: for_merging(w).again(attempt).minutes,
    params:
        spec=lambda w: plan.soups[w.soup]["spec"],
        code=lambda w: code_digest(
            "merge.py", plugin("merging/methods", plan.soups[w.soup]["spec"]["method"])
        ),
    message:
        "Making {wildcards.soup}"
    script:
        "../workflow_scripts/merge.py"
