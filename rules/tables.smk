rule main_table:
    """One tidy table of every accuracy with its n and interval, and what follows from it."""
    input:
        unpack(plan.main_table.inputs),
    output:
        measurements="<results>/studies/{study}/measurements.csv",
        fits="<results>/studies/{study}/fits.csv",
        robustness="<results>/studies/{study}/robustness.csv",
        markdown="<results>/studies/{study}/main_table.md",
        latex="<results>/studies/{study}/main_table.tex",
        findings="<results>/studies/{study}/findings.csv",
    log:
        "<results>/logs/main_table/{study}.log",
    wildcard_constraints:
        study=plan.main_table.names("study"),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.main_table.spec,
        code=plan.main_table.code,
    message:
        "Measuring {wildcards.study}"
    script:
        "../workflow_scripts/main_table.py"


rule summary:
    """Put the seeds of a study side by side."""
    input:
        unpack(plan.summary.inputs),
    output:
        text="<results>/studies/{name}/summary.md",
        page=report(
            "<results>/studies/{name}/summary.html",
            caption="../report/summary.rst",
            category="Overview",
            labels={"study": "{name}", "what": "all seeds"},
        ),
    log:
        "<results>/logs/summary/{name}.log",
    wildcard_constraints:
        name=plan.summary.names("name"),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.summary.spec,
        code=plan.summary.code,
    message:
        "Summing up {wildcards.name}"
    script:
        "../workflow_scripts/summary.py"
