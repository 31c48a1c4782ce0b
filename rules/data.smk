FILTERED = [id for id, job in plan.datasets.items() if "pool" in job]
CORRUPTED = [id for id, job in plan.datasets.items() if "of" in job]
PREPARED = [id for id in plan.datasets if id not in (*FILTERED, *CORRUPTED)]


rule fetch_dataset:
    """Fetch and unpack a published data set, where the config asks for it."""
    output:
        "<results>/downloads/{download}.json",
    log:
        "<results>/logs/fetch_dataset/{download}.log",
    wildcard_constraints:
        download=one_of(plan.downloads),
    priority: 30
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: plan.downloads[w.download]["spec"],
        code=code_digest("fetch_dataset.py"),
    message:
        "Fetching {wildcards.download}; follow it with tail -f {log}"
    script:
        "../workflow_scripts/fetch_dataset.py"


rule prepare_dataset:
    """Decode or render one data set, once."""
    input:
        fetched=lambda w: expand(
            "<results>/downloads/{download}.json",
            download=plan.datasets[w.dataset]["fetched"],
        ),
    output:
        card="<results>/datasets/{dataset}/dataset.json",
        images="<results>/datasets/{dataset}/images.npy",
        labels="<results>/datasets/{dataset}/labels.npy",
        digests="<results>/datasets/{dataset}/digests.npy",
    log:
        "<results>/logs/prepare_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(PREPARED),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    # Decoding takes as many of these as there are; rendering one.
    threads: lambda w: 16 if is_encoded(w.dataset) else 1
    resources:
        mem_mb=lambda w, attempt, threads: for_preparing(w, threads).again(attempt).mb,
        runtime=lambda w, attempt, threads: for_preparing(w, threads).again(attempt).minutes,
    params:
        spec=lambda w: plan.datasets[w.dataset]["spec"],
        downloads=lambda w: [
            plan.downloads[download]["spec"] for download in plan.datasets[w.dataset]["fetched"]
        ],
        code=lambda w: code_digest(
            "prepare_dataset.py",
            plugin("datasets/sources", plan.datasets[w.dataset]["spec"]["source"]),
        ),
    message:
        "Preparing the data set {wildcards.dataset}"
    script:
        "../workflow_scripts/prepare_dataset.py"


rule filter_dataset:
    """Keep the images of a pool that the adversary gets wrong."""
    input:
        unpack(lambda w: dataset_files(plan.datasets[w.dataset]["pool"])),
        unpack(lambda w: classifier_files(plan.datasets[w.dataset]["adversary"])),
    output:
        card="<results>/datasets/{dataset}/dataset.json",
        images="<results>/datasets/{dataset}/images.npy",
        labels="<results>/datasets/{dataset}/labels.npy",
        digests="<results>/datasets/{dataset}/digests.npy",
    log:
        "<results>/logs/filter_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(FILTERED),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        spec=lambda w: plan.datasets[w.dataset]["spec"],
        code=code_digest("filter_dataset.py"),
    message:
        "Filtering the data set {wildcards.dataset}"
    script:
        "../workflow_scripts/filter_dataset.py"


rule corrupt_dataset:
    """Corrupt the images of another data set."""
    input:
        unpack(lambda w: dataset_files(plan.datasets[w.dataset]["of"])),
    output:
        card="<results>/datasets/{dataset}/dataset.json",
        images="<results>/datasets/{dataset}/images.npy",
        labels="<results>/datasets/{dataset}/labels.npy",
        digests="<results>/datasets/{dataset}/digests.npy",
    log:
        "<results>/logs/corrupt_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(CORRUPTED),
    priority: 20
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: plan.datasets[w.dataset]["spec"],
        code=code_digest("corrupt_dataset.py"),
    message:
        "Corrupting the data set {wildcards.dataset}"
    script:
        "../workflow_scripts/corrupt_dataset.py"


rule overlap:
    """Count and name the images that training, held-out and test sets share."""
    input:
        unpack(lambda w: prefixed("training", dataset_files(*plan.studies[w.study]["training"]))),
        unpack(lambda w: prefixed("held_out", dataset_files(*plan.studies[w.study]["held_out"]))),
        unpack(lambda w: prefixed("tests", dataset_files(*plan.studies[w.study]["tests"]))),
    output:
        table="<results>/studies/{study}/overlap.csv",
        images="<results>/studies/{study}/shared-images.csv",
    log:
        "<results>/logs/overlap/{study}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
    priority: 30
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec={},
        code=code_digest("overlap.py"),
    message:
        "Comparing the data sets of {wildcards.study}"
    script:
        "../workflow_scripts/overlap.py"


rule compare:
    """Tell that no sets share images that must not: what trains or evaluates waits for it."""
    input:
        expand("<results>/studies/{study}/overlap.csv", study=plan.studies),
    output:
        touch(COMPARED),
    priority: 30
    localrule: True
    message:
        "The data sets share no images that they must not"
