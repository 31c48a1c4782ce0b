MODELS = [id for id, family in plan.families.items() if not family["start"]]
SWEEPS = [id for id, family in plan.families.items() if family["start"]]


rule evaluate:
    """Evaluate models on every data set."""
    input:
        unpack(lambda w: dataset_files(*plan.families[w.family]["tests"])),
        unpack(lambda w: classifier_files(*ingredients(w.family))),
        recipes=lambda w: recipes(w.family),
        shared=lambda w: shared(w.family),
        compared=compared(),
    output:
        "<results>/evaluations/{family}.json",
    log:
        "<results>/logs/evaluate/{family}.log",
    wildcard_constraints:
        family=one_of(MODELS),
    priority: 10
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=lambda w, attempt: for_evaluating(w).again(attempt).mb,
        runtime=lambda w, attempt: for_evaluating(w).again(attempt).minutes,
    params:
        spec=lambda w: plan.families[w.family]["spec"],
        start=lambda w: plan.families[w.family]["start"],
        code=code_digest("evaluate.py"),
    message:
        "Evaluating {wildcards.family}"
    script:
        "../workflow_scripts/evaluate.py"


use rule evaluate as sweep with:
    log:
        "<results>/logs/sweep/{family}.log",
    wildcard_constraints:
        family=one_of(SWEEPS),
    priority: 0
    message:
        "Sweeping {wildcards.family}"
