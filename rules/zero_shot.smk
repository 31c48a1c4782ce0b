rule zero_shot:
    """Build the zero-shot head from its prompts: tower and head, one Classifier."""
    input:
        unpack(plan.zero_shot.inputs),
    output:
        card="<results>/classifiers/{zero_shot}/classifier.json",
        weights="<results>/classifiers/{zero_shot}/classifier.safetensors",
    log:
        "<results>/logs/zero_shot/{zero_shot}.log",
    wildcard_constraints:
        zero_shot=plan.zero_shot.names("zero_shot"),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    params:
        spec=plan.zero_shot.spec,
        code=plan.zero_shot.code,
    message:
        "Building the zero-shot head {wildcards.zero_shot}"
    script:
        "../workflow_scripts/zero_shot.py"
