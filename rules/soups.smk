rule soup:
    """Find one merge on the held-out set and write its recipe."""
    input:
        unpack(plan.soup.inputs),
    output:
        "<results>/recipes/{soup}.json",
    log:
        "<results>/logs/soup/{soup}.log",
    benchmark:
        "<results>/benchmarks/{soup}.tsv"
    wildcard_constraints:
        soup=plan.soup.names("soup"),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
        mem_mb=plan.soup.mem_mb,
        runtime=plan.soup.runtime,
    params:
        spec=plan.soup.spec,
        code=plan.soup.code,
    message:
        "Making {wildcards.soup}"
    script:
        "../workflow_scripts/soup.py"


rule merge:
    """Write the weights of one merge that is not linear."""
    input:
        unpack(plan.merge.inputs),
    output:
        card="<results>/classifiers/{soup}/classifier.json",
        weights="<results>/classifiers/{soup}/classifier.safetensors",
    log:
        "<results>/logs/merge/{soup}.log",
    benchmark:
        "<results>/benchmarks/{soup}.tsv"
    wildcard_constraints:
        soup=plan.merge.names("soup"),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
        mem_mb=plan.merge.mem_mb,
        runtime=plan.merge.runtime,
    params:
        spec=plan.merge.spec,
        code=plan.merge.code,
    message:
        "Making {wildcards.soup}"
    script:
        "../workflow_scripts/merge.py"
