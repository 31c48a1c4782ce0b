rule measure:
    """One tidy table of every accuracy with its n and interval, and what follows from it."""
    input:
        evaluations=lambda w: expand(
            "<results>/evaluations/{family}.json", family=plan.studies[w.study]["families"]
        ),
    output:
        measurements="<results>/studies/{study}/measurements.csv",
        fits="<results>/studies/{study}/fits.csv",
        robustness="<results>/studies/{study}/robustness.csv",
        overview=report(
            "<results>/studies/{study}/overview.md",
            caption="report/overview.rst",
            category="Overview",
            labels={"study": "{study}", "what": "table"},
        ),
        findings="<results>/studies/{study}/findings.csv",
    log:
        "<results>/logs/measure/{study}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: {"roles": plan.studies[w.study]["roles"], **config["statistics"]},
        code=code_digest("statistics/tables.py", "statistics/findings.py"),
    message:
        "Measuring {wildcards.study}"
    script:
        "../workflow_scripts/measure.py"
