def subjects(study, name):
    """Ids of the runs whose mixes an analysis looks at: those it names, or all end-to-end."""
    runs, options = plan.studies[study]["runs"], analysis_options(name)
    soup = plan.studies[study]["models"].get(options.get("soup"), {})
    wanted = options.get("models") or soup.get("ingredients") or list(runs)
    return [runs[run] for run in wanted if run in runs]


def evidence(w):
    """What an analysis reads beside tables and predictions."""
    study, needs = plan.studies[w.study], analyses.needs(analysis_kind(w.analysis))
    found = {}
    if analyses.evaluates(analysis_kind(w.analysis)):
        found["mixes"] = f"<results>/studies/{w.study}/mixes/{w.analysis}.json"
    if "geometry" in needs:
        found["geometry"] = f"<results>/studies/{w.study}/geometry.csv"
    if "recipes" in needs:
        found["recipes"] = recipe_files(study).values()
    return found


def recipe_files(study):
    return {n: f"<results>/recipes/{id}.json" for n, id in study["soups"].items() if is_recipe(id)}


def mixed_roles(entry):
    """Parts of the data that the mixes of an analysis are found or evaluated on."""
    return ["held-out", "train", *analyses.evaluates(analysis_kind(entry))]


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
    params:
        spec=lambda w: plain(
            {
                "analysis": analysis_kind(w.analysis),
                "options": analysis_options(w.analysis),
                **EVALUATION,
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
        mem_mb=8000,
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
