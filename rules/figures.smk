rule figure:
    """Draw one figure from the tables."""
    input:
        measurements="<results>/studies/{study}/measurements.csv",
        fits="<results>/studies/{study}/fits.csv",
        robustness="<results>/studies/{study}/robustness.csv",
    output:
        pdf="<results>/studies/{study}/figures/{figure}.pdf",
        png=report(
            "<results>/studies/{study}/figures/{figure}.png",
            caption="report/figure.rst",
            category="Figures",
            labels={"study": "{study}", "figure": "{figure}"},
        ),
        data="<results>/studies/{study}/figures/{figure}.csv",
    log:
        "<results>/logs/figure/{study}/{figure}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
        figure=one_of(config["figures"]),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: plain({"figure": w.figure, "options": config["figures"][w.figure]}),
        code=lambda w: code_digest(plugin("figures", w.figure)),
    message:
        "Drawing {wildcards.figure} of {wildcards.study}"
    script:
        "../workflow_scripts/figure.py"
