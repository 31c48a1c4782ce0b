rule page:
    """One analysis on a page: its figures, how to read them, and its table."""
    input:
        texts=["<results>/studies/{study}/analyses/{analysis}.md"],
        figures=lambda w: [
            f"<results>/studies/{w.study}/figures/{name}.png" for name in figures_of(w.analysis)
        ],
    output:
        report(
            "<results>/studies/{study}/analyses/{analysis}.html",
            caption="../report/page.rst",
            category="Analyses",
            labels={"study": "{study}", "analysis": "{analysis}"},
        ),
    log:
        "<results>/logs/page/{study}/{analysis}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
        analysis=one_of(config["analyses"]),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: Unshown(
            {
                "title": f"{w.analysis.replace('-', ' ').capitalize()}, {w.study}",
                "captions": [figure_caption(name) for name in figures_of(w.analysis)],
                "heads": [""],
            }
        ),
        code=code_digest("page.py"),
    message:
        "Writing the page of {wildcards.analysis} of {wildcards.study}"
    script:
        "../workflow_scripts/page.py"


use rule page as overview with:
    input:
        texts=lambda w: [
            f"<results>/studies/{w.study}/main_table.md",
            *(f"<results>/studies/{w.study}/analyses/{name}.md" for name in OVERVIEW),
        ],
        figures=lambda w: [
            f"<results>/studies/{w.study}/figures/{name}.png" for name in MAIN_FIGURES
        ],
    output:
        report(
            "<results>/studies/{study}/overview.html",
            caption="../report/overview.rst",
            category="Overview",
            labels={"study": "{study}", "what": "table and figure"},
        ),
    log:
        "<results>/logs/page/{study}/overview.log",
    wildcard_constraints:
        study=one_of(plan.studies),
    localrule: True
    params:
        spec=lambda w: Unshown(
            {
                "title": f"Overview of {w.study}",
                "captions": [figure_caption(name) for name in MAIN_FIGURES],
                "heads": [HEADS[name] for name in ("overview", *OVERVIEW)],
            }
        ),
        code=code_digest("page.py"),
    message:
        "Writing the overview of {wildcards.study}"


rule explore:
    """The interactive scatter: every model, its recipe on hover."""
    input:
        measurements="<results>/studies/{study}/measurements.csv",
        fits="<results>/studies/{study}/fits.csv",
        robustness="<results>/studies/{study}/robustness.csv",
        recipes=lambda w: recipe_files(plan.studies[w.study]).values(),
    output:
        report(
            "<results>/studies/{study}/explore.html",
            caption="../report/explore.rst",
            category="Overview",
            labels={"study": "{study}", "what": "interactive scatter"},
        ),
    log:
        "<results>/logs/explore/{study}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: Unshown(
            plain(
                {
                    "models": plan.studies[w.study]["models"],
                    "soups": plan.studies[w.study]["soups"],
                    "axis": config["statistics"]["axis"],
                }
            )
        ),
        code=code_digest("explore.py"),
    message:
        "Drawing the interactive scatter of {wildcards.study}"
    script:
        "../workflow_scripts/explore.py"
