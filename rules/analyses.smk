rule geometry:
    """Lengths and angles of the updates of all end-to-end runs."""
    input:
        unpack(
            lambda w: classifier_files(
                plan.studies[w.study]["start"], *plan.studies[w.study]["runs"].values()
            )
        ),
    output:
        "<results>/studies/{study}/geometry.csv",
    log:
        "<results>/logs/geometry/{study}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
    conda:
        "../envs/stockpot.yaml"
    params:
        spec={},
        code=code_digest("geometry.py"),
    message:
        "Measuring the updates of {wildcards.study}"
    script:
        "../workflow_scripts/geometry.py"


rule mixes:
    """Evaluate the mixes that one analysis looks at."""
    input:
        unpack(
            lambda w: {
                part: files
                for role in mixed_roles(w.analysis)
                for part, files in prefixed(
                    role.replace("-", "_"), dataset_files(*data_sets(w.study, role))
                ).items()
            }
        ),
        unpack(
            lambda w: classifier_files(
                plan.studies[w.study]["start"], *subjects(w.study, w.analysis)
            )
        ),
        shared=lambda w: evaluated(list(plan.studies[w.study]["runs"].values())),
    output:
        "<results>/studies/{study}/mixes/{analysis}.json",
    log:
        "<results>/logs/mixes/{study}/{analysis}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
        analysis=one_of(config["analyses"]),
    conda:
        "../envs/stockpot.yaml"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=lambda w, attempt: for_mixing(w).again(attempt).mb,
        runtime=lambda w, attempt: for_mixing(w).again(attempt).minutes,
    params:
        spec=lambda w: plain(
            {
                "analysis": analysis_kind(w.analysis),
                "options": analysis_options(w.analysis),
                **spec.evaluation(config),
                "store_logits": "logits" in analyses.needs(analysis_kind(w.analysis)),
            }
        ),
        code=lambda w: code_digest("mixes.py", plugin("analyses", analysis_kind(w.analysis))),
    message:
        "Evaluating the mixes of {wildcards.analysis} of {wildcards.study}"
    script:
        "../workflow_scripts/mixes.py"


rule analysis:
    """One analysis: a table from stored predictions."""
    input:
        unpack(evidence),
        measurements="<results>/studies/{study}/measurements.csv",
        evaluations=lambda w: expand(
            "<results>/evaluations/{family}.json", family=plan.studies[w.study]["families"]
        ),
        cards=lambda w: dataset_files(
            *data_sets(w.study, "held-out", "corrupted", "reference", "shift")
        )["data"],
    output:
        table="<results>/studies/{study}/analyses/{analysis}.csv",
        markdown="<results>/studies/{study}/analyses/{analysis}.md",
        latex="<results>/studies/{study}/analyses/{analysis}.tex",
    log:
        "<results>/logs/analysis/{study}/{analysis}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
        analysis=one_of(config["analyses"]),
    conda:
        "../envs/stockpot.yaml"
    resources:
        mem_mb=lambda w, attempt: 8000 * attempt,
    params:
        spec=lambda w: plain(
            {
                "analysis": analysis_kind(w.analysis),
                "options": analysis_options(w.analysis),
                "models": plan.studies[w.study]["models"],
                "soups": plan.studies[w.study]["soups"],
                "confidence": config["statistics"]["confidence"],
            }
        ),
        code=lambda w: code_digest("analysis.py", plugin("analyses", analysis_kind(w.analysis))),
    message:
        "Analysing {wildcards.analysis} of {wildcards.study}"
    script:
        "../workflow_scripts/analysis.py"
