rule zero_shot:
    """Build the zero-shot head from its prompts: tower and head, one Classifier."""
    input:
        unpack(lambda w: model_files()),
    output:
        card="<results>/classifiers/{zero_shot}/classifier.json",
        weights="<results>/classifiers/{zero_shot}/classifier.safetensors",
    log:
        "<results>/logs/zero_shot/{zero_shot}.log",
    wildcard_constraints:
        zero_shot=one_of(plan.zero_shots),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    params:
        spec=lambda w: plan.zero_shots[w.zero_shot]["spec"],
        code=code_digest("zero_shot.py"),
    message:
        "Building the zero-shot head {wildcards.zero_shot}"
    script:
        "../workflow_scripts/zero_shot.py"
