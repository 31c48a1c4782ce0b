rule evaluate:
    """Evaluate models on every data set."""
    input:
        unpack(plan.evaluate.inputs),
    output:
        "<results>/evaluations/{evaluation}.json",
    log:
        "<results>/logs/evaluate/{evaluation}.log",
    wildcard_constraints:
        evaluation=plan.evaluate.names("evaluation"),
    priority: 10
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
        mem_mb=plan.evaluate.mem_mb,
        runtime=plan.evaluate.runtime,
    params:
        spec=plan.evaluate.spec,
        sweep_start=plan.evaluate.sweep_start,
        code=plan.evaluate.code,
    message:
        "Evaluating {wildcards.evaluation}"
    script:
        "../workflow_scripts/evaluate.py"


use rule evaluate as sweep with:
    log:
        "<results>/logs/sweep/{evaluation}.log",
    wildcard_constraints:
        evaluation=plan.sweep.names("evaluation"),
    priority: 0
    message:
        "Sweeping {wildcards.evaluation}"
