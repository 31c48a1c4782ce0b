rule evaluate:
    """Evaluate one family, a model with its whole sweep, on every data set."""
    input:
        unpack(lambda w: dataset_files(*plan.families[w.family]["tests"])),
        unpack(lambda w: classifier_files(*ingredients(w.family))),
        recipes=lambda w: recipes(w.family),
        evaluated=lambda w: endpoints(w.family),
    output:
        "<results>/evaluations/{family}.json",
    log:
        "<results>/logs/evaluate/{family}.log",
    wildcard_constraints:
        family=one_of(plan.families),
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        spec=lambda w: plan.families[w.family]["spec"],
        start=lambda w: plan.families[w.family]["start"],
        code=code_digest("evaluation/family.py"),
    message:
        "Evaluating {wildcards.family}"
    script:
        "../workflow_scripts/evaluate.py"
