rule page:
    """One analysis on a page: its figures, how to read them, and its table."""
    input:
        unpack(plan.page.inputs),
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
        study=plan.page.names("study"),
        analysis=plan.page.names("analysis"),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.page.spec,
        code=plan.page.code,
    message:
        "Writing the page of {wildcards.analysis} of {wildcards.study}"
    script:
        "../workflow_scripts/page.py"


use rule page as overview with:
    input:
        unpack(plan.overview.inputs),
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
        study=plan.overview.names("study"),
    localrule: True
    params:
        spec=plan.overview.spec,
        code=plan.overview.code,
    message:
        "Writing the overview of {wildcards.study}"


rule explore:
    """The interactive scatter: every model, its recipe on hover."""
    input:
        unpack(plan.explore.inputs),
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
        study=plan.explore.names("study"),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=plan.explore.spec,
        code=plan.explore.code,
    message:
        "Drawing the interactive scatter of {wildcards.study}"
    script:
        "../workflow_scripts/explore.py"
