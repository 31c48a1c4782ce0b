rule geometry:
    """Lengths and angles of the updates of all end-to-end runs."""
    input:
        unpack(plan.geometry.inputs),
    output:
        "<results>/studies/{study}/geometry.csv",
    log:
        "<results>/logs/geometry/{study}.log",
    wildcard_constraints:
        study=plan.geometry.names("study"),
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.geometry.spec,
        code=plan.geometry.code,
    message:
        "Measuring the updates of {wildcards.study}"
    script:
        "../workflow_scripts/geometry.py"


rule mixes:
    """Evaluate the mixes that one analysis looks at."""
    input:
        unpack(plan.mixes.inputs),
    output:
        "<results>/studies/{study}/mixes/{analysis}.json",
    log:
        "<results>/logs/mixes/{study}/{analysis}.log",
    wildcard_constraints:
        study=plan.mixes.names("study"),
        analysis=plan.mixes.names("analysis"),
    conda:
        "../envs/stockpot.yaml"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
        mem_mb=plan.mixes.mem_mb,
        runtime=plan.mixes.runtime,
    params:
        spec=plan.mixes.spec,
        code=plan.mixes.code,
    message:
        "Evaluating the mixes of {wildcards.analysis} of {wildcards.study}"
    script:
        "../workflow_scripts/mixes.py"


rule analysis:
    """One analysis: a table from stored predictions."""
    input:
        unpack(plan.analysis.inputs),
    output:
        table="<results>/studies/{study}/analyses/{analysis}.csv",
        markdown="<results>/studies/{study}/analyses/{analysis}.md",
        latex="<results>/studies/{study}/analyses/{analysis}.tex",
    log:
        "<results>/logs/analysis/{study}/{analysis}.log",
    wildcard_constraints:
        study=plan.analysis.names("study"),
        analysis=plan.analysis.names("analysis"),
    conda:
        "../envs/stockpot.yaml"
    resources:
        mem_mb=plan.analysis.mem_mb,
    params:
        spec=plan.analysis.spec,
        code=plan.analysis.code,
    message:
        "Analysing {wildcards.analysis} of {wildcards.study}"
    script:
        "../workflow_scripts/analysis.py"
