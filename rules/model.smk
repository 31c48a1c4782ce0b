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
