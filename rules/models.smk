rule pretrain:
    """Train the embedded CLIP model on rendered images and captions."""
    input:
        unpack(plan.pretrain.inputs),
    output:
        "<results>/models/{model}/open_clip_model.safetensors",
    log:
        "<results>/logs/pretrain/{model}.log",
    wildcard_constraints:
        model=plan.pretrain.names("model"),
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        runtime=240,
    params:
        spec=plan.pretrain.spec,
        code=plan.pretrain.code,
    message:
        "Pretraining {wildcards.model}: about an hour on one core; follow it with tail -f {log}"
    script:
        "../workflow_scripts/pretrain.py"


rule import_model:
    """Fetch or read pretrained weights, once, into open_clip's layout."""
    input:
        unpack(plan.import_model.inputs),
    output:
        config="<results>/imported/{model}/open_clip_config.json",
        weights="<results>/imported/{model}/open_clip_model.safetensors",
    log:
        "<results>/logs/import_model/{model}.log",
    wildcard_constraints:
        model=plan.import_model.names("model"),
    priority: 100  # a model that cannot be had is known before anything else is done
    localrule: True  # nodes of a cluster may have no network
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.import_model.spec,
        code=plan.import_model.code,
    message:
        "Importing {wildcards.model}"
    script:
        "../workflow_scripts/import_model.py"


rule adopt_checkpoint:
    """Read a checkpoint that was trained elsewhere, running nothing that is in it."""
    input:
        unpack(plan.adopt_checkpoint.inputs),
    output:
        card="<results>/classifiers/{checkpoint}/classifier.json",
        weights="<results>/classifiers/{checkpoint}/classifier.safetensors",
    log:
        "<results>/logs/adopt_checkpoint/{checkpoint}.log",
    wildcard_constraints:
        checkpoint=plan.adopt_checkpoint.names("checkpoint"),
    priority: 30
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.adopt_checkpoint.spec,
        code=plan.adopt_checkpoint.code,
    message:
        "Reading the checkpoint {wildcards.checkpoint}"
    script:
        "../workflow_scripts/adopt_checkpoint.py"
