rule figure:
    """Draw one figure from the tables."""
    input:
        unpack(figure_tables),
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
        study=one_of(plan.studies),
        figure=one_of(FIGURES),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: Unshown(
            plain(
                {
                    "figure": FIGURES[w.figure][0],
                    "options": figure_options(w.figure),
                    "caption": figure_caption(w.figure),
                }
            )
        ),
        code=lambda w: code_digest("figure.py", plugin("figures", FIGURES[w.figure][0])),
    message:
        "Drawing {wildcards.figure} of {wildcards.study}"
    script:
        "../workflow_scripts/figure.py"


rule samples:
    """Show what the data sets look like."""
    input:
        unpack(lambda w: dataset_files(*plan.studies[w.study]["tests"])),
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
        study=one_of(plan.studies),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: Unshown({"columns": 12, "texts": class_texts(w.study)}),
        code=code_digest("samples.py"),
    message:
        "Showing the data sets of {wildcards.study}"
    script:
        "../workflow_scripts/samples.py"
