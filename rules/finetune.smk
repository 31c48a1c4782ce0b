TRACED = [id for id, run in plan.runs.items() if run["averages"]]
PLAIN = [id for id in plan.runs if id not in TRACED]


rule finetune:
    """Train one run: end to end, linear classifier, or a standard model from scratch."""
    input:
        unpack(lambda w: prefixed("train", dataset_files(plan.runs[w.run]["train"]))),
        unpack(lambda w: prefixed("held_out", dataset_files(plan.runs[w.run]["held_out"]))),
        unpack(lambda w: prefixed("start", classifier_files(*plan.runs[w.run]["start"]))),
        unpack(lambda w: prefixed("joint", dataset_files(*plan.runs[w.run]["joint"]))),
        compared=lambda w: compared(w.run),
    output:
        card="<results>/classifiers/{run}/classifier.json",
        weights="<results>/classifiers/{run}/classifier.safetensors",
    log:
        "<results>/logs/finetune/{run}.log",
    benchmark:
        "<results>/benchmarks/{run}.tsv"
    wildcard_constraints:
        run=one_of(PLAIN),
    priority: 10
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=lambda w: gpus_of(w.run),
        mem_mb=lambda w, attempt: for_training(w).again(attempt).mb,
        runtime=lambda w, attempt: for_training(w).again(attempt).minutes,
    params:
        spec=lambda w: plan.runs[w.run]["spec"],
        code=lambda w: code_digest(
            "finetune.py", plugin("training/variants", plan.runs[w.run]["spec"]["variant"])
        ),
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
        run=one_of(TRACED),
    message:
        "Training {wildcards.run}, with averages; follow it with tail -f {log}"
