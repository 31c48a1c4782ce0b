rule fetch_dataset:
    """Fetch and unpack a published data set, where the config asks for it."""
    output:
        "<results>/downloads/{download}.json",
    log:
        "<results>/logs/fetch_dataset/{download}.log",
    wildcard_constraints:
        download=plan.fetch_dataset.names("download"),
    priority: 30
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.fetch_dataset.spec,
        code=plan.fetch_dataset.code,
    message:
        "Fetching {wildcards.download}; follow it with tail -f {log}"
    script:
        "../workflow_scripts/fetch_dataset.py"


rule prepare_dataset:
    """Decode or render one data set, once."""
    input:
        unpack(plan.prepare_dataset.inputs),
    output:
        card="<results>/datasets/{dataset}/dataset.json",
        images="<results>/datasets/{dataset}/images.npy",
        labels="<results>/datasets/{dataset}/labels.npy",
        digests="<results>/datasets/{dataset}/digests.npy",
    log:
        "<results>/logs/prepare_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=plan.prepare_dataset.names("dataset"),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: plan.prepare_dataset.threads
    resources:
        mem_mb=plan.prepare_dataset.mem_mb,
        runtime=plan.prepare_dataset.runtime,
    params:
        spec=plan.prepare_dataset.spec,
        current_paths=plan.prepare_dataset.current_paths,
        downloads=plan.prepare_dataset.downloads,
        code=plan.prepare_dataset.code,
    message:
        "Preparing the data set {wildcards.dataset}"
    script:
        "../workflow_scripts/prepare_dataset.py"


rule filter_dataset:
    """Keep the images of a pool that the adversary gets wrong."""
    input:
        unpack(plan.filter_dataset.inputs),
    output:
        card="<results>/datasets/{dataset}/dataset.json",
        images="<results>/datasets/{dataset}/images.npy",
        labels="<results>/datasets/{dataset}/labels.npy",
        digests="<results>/datasets/{dataset}/digests.npy",
    log:
        "<results>/logs/filter_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=plan.filter_dataset.names("dataset"),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        spec=plan.filter_dataset.spec,
        code=plan.filter_dataset.code,
    message:
        "Filtering the data set {wildcards.dataset}"
    script:
        "../workflow_scripts/filter_dataset.py"


rule corrupt_dataset:
    """Corrupt the images of another data set."""
    input:
        unpack(plan.corrupt_dataset.inputs),
    output:
        card="<results>/datasets/{dataset}/dataset.json",
        images="<results>/datasets/{dataset}/images.npy",
        labels="<results>/datasets/{dataset}/labels.npy",
        digests="<results>/datasets/{dataset}/digests.npy",
    log:
        "<results>/logs/corrupt_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=plan.corrupt_dataset.names("dataset"),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.corrupt_dataset.spec,
        code=plan.corrupt_dataset.code,
    message:
        "Corrupting the data set {wildcards.dataset}"
    script:
        "../workflow_scripts/corrupt_dataset.py"


rule overlap:
    """Count and name the images that training, held-out and test sets share."""
    input:
        unpack(plan.overlap.inputs),
    output:
        table="<results>/studies/{study}/overlap.csv",
        images="<results>/studies/{study}/shared-images.csv",
    log:
        "<results>/logs/overlap/{study}.log",
    wildcard_constraints:
        study=plan.overlap.names("study"),
    priority: 30
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.overlap.spec,
        code=plan.overlap.code,
    message:
        "Comparing the data sets of {wildcards.study}"
    script:
        "../workflow_scripts/overlap.py"


rule compare:
    """Tell that no sets share images that must not: what trains or evaluates waits for it."""
    input:
        unpack(plan.compare.inputs),
    output:
        touch("<results>/compared"),
    priority: 30
    localrule: True
    message:
        "The data sets share no images that they must not"
