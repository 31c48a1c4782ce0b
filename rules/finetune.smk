rule finetune:
    """Train one run: end to end, linear classifier, or a baseline from scratch."""
    input:
        unpack(plan.finetune.inputs),
    output:
        card="<results>/classifiers/{run}/classifier.json",
        weights="<results>/classifiers/{run}/classifier.safetensors",
    log:
        "<results>/logs/finetune/{run}.log",
    benchmark:
        "<results>/benchmarks/{run}.tsv"
    wildcard_constraints:
        run=plan.finetune.names("run"),
    priority: 10
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        gpu=plan.finetune.gpus,
        mem_mb=plan.finetune.mem_mb,
        runtime=plan.finetune.runtime,
    params:
        spec=plan.finetune.spec,
        code=plan.finetune.code,
    message:
        "Training {wildcards.run}; follow it with tail -f {log}"
    script:
        "../workflow_scripts/finetune.py"


use rule finetune as finetune_with_averages with:
    output:
        card="<results>/classifiers/{run}/classifier.json",
        weights="<results>/classifiers/{run}/classifier.safetensors",
        averages="<results>/classifiers/{run}/averages.safetensors",
    log:
        "<results>/logs/finetune_with_averages/{run}.log",
    wildcard_constraints:
        run=plan.finetune_with_averages.names("run"),
    message:
        "Training {wildcards.run}, with averages; follow it with tail -f {log}"
