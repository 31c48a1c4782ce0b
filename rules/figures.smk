def figure_tables(w):
    """The tables that a figure draws: of its analysis, or those of the study."""
    folder = f"<results>/studies/{w.study}"
    if entry := FIGURES[w.figure][1]:
        return {"table": f"{folder}/analyses/{entry}.csv"}
    names = {"measurements": "measurements", "fits": "fits", "rho": "robustness"}
    return {name: f"{folder}/{file}.csv" for name, file in names.items()}


def figure_caption(figure):
    """How to read it, with the level, the axis and the numbers of images of this study."""
    sizes = ", ".join(f"{name} {n:,}" for name, n in plan.sizes.items())
    level = f"{100 * config['statistics']['confidence']:g} %"
    name, axis = FIGURES[figure][0], config["statistics"]["axis"]
    return figures.caption(name, level, axis, sizes, figure_options(figure))


rule figure:
    """Draw one figure from the tables."""
    input:
        unpack(figure_tables),
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
        figure=one_of(FIGURES),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: plain({"figure": FIGURES[w.figure][0], "options": figure_options(w.figure)}),
        caption=lambda w: figure_caption(w.figure),
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
            caption="report/samples.rst",
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
        spec={"columns": 12},
        code=code_digest("samples.py"),
    message:
        "Showing the data sets of {wildcards.study}"
    script:
        "../workflow_scripts/samples.py"
