rule figure:
    """Draw one figure from the tables."""
    input:
        unpack(plan.figure.inputs),
    output:
        pdf="<results>/studies/{study}/figures/{figure}.pdf",
        png=report(
            "<results>/studies/{study}/figures/{figure}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"study": "{study}", "figure": "{figure}"},
        ),
        data="<results>/studies/{study}/figures/{figure}.csv",
    log:
        "<results>/logs/figure/{study}/{figure}.log",
    wildcard_constraints:
        study=plan.figure.names("study"),
        figure=plan.figure.names("figure"),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.figure.spec,
        code=plan.figure.code,
    message:
        "Drawing {wildcards.figure} of {wildcards.study}"
    script:
        "../workflow_scripts/figure.py"


rule samples:
    """Show what the data sets look like."""
    input:
        unpack(plan.samples.inputs),
    output:
        pdf="<results>/studies/{study}/figures/samples.pdf",
        png=report(
            "<results>/studies/{study}/figures/samples.png",
            caption="../report/samples.rst",
            category="Figures",
            labels={"study": "{study}", "figure": "samples"},
        ),
        data="<results>/studies/{study}/figures/samples.csv",
    log:
        "<results>/logs/samples/{study}.log",
    wildcard_constraints:
        study=plan.samples.names("study"),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.samples.spec,
        code=plan.samples.code,
    message:
        "Showing the data sets of {wildcards.study}"
    script:
        "../workflow_scripts/samples.py"
