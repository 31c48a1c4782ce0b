rule pretrain:
    """Train the embedded CLIP model on rendered images and captions."""
    input:
        **plan.model["files"],
    output:
        "<results>/models/{model}/open_clip_model.safetensors",
    log:
        "<results>/logs/pretrain/{model}.log",
    wildcard_constraints:
        model=plan.model["id"],
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        runtime=240,
    params:
        spec=plan.model["pretraining"],
        code=code_digest("pretrain.py"),
    message:
        "Pretraining {wildcards.model}: about an hour on one core; follow it with tail -f {log}"
    script:
        "../workflow_scripts/pretrain.py"


rule import_model:
    """Fetch or read pretrained weights, once, into open_clip's layout."""
    input:
        unpack(lambda w: {n: file for n, file in plan.model["files"].items() if n == "checkpoint"}),
    output:
        config="<results>/imported/{model}/open_clip_config.json",
        weights="<results>/imported/{model}/open_clip_model.safetensors",
    log:
        "<results>/logs/import_model/{model}.log",
    wildcard_constraints:
        model=plan.model["id"],
    priority: 100  # a model that cannot be had is known before anything else is done
    localrule: True  # nodes of a cluster may have no network
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.model["import"],
        code=code_digest("import_model.py"),
    message:
        "Importing {wildcards.model}"
    script:
        "../workflow_scripts/import_model.py"


rule adopt_checkpoint:
    """Read a checkpoint that was trained elsewhere, running nothing that is in it."""
    input:
        unpack(
            lambda w: prefixed("start", classifier_files(plan.checkpoints[w.checkpoint]["start"]))
        ),
        file=lambda w: plan.checkpoints[w.checkpoint]["files"],
    output:
        card="<results>/classifiers/{checkpoint}/classifier.json",
        weights="<results>/classifiers/{checkpoint}/classifier.safetensors",
    log:
        "<results>/logs/adopt_checkpoint/{checkpoint}.log",
    wildcard_constraints:
        checkpoint=one_of(plan.checkpoints),
    priority: 30
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: plan.checkpoints[w.checkpoint]["spec"],
        code=code_digest("adopt_checkpoint.py"),
    message:
        "Reading the checkpoint {wildcards.checkpoint}"
    script:
        "../workflow_scripts/adopt_checkpoint.py"
