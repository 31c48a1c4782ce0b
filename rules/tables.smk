rule main_table:
    """One tidy table of every accuracy with its n and interval, and what follows from it."""
    input:
        unpack(cloud_table),
        unpack(
            lambda w: dataset_files(
                *data_sets(w.study, "held-out", "corrupted", "reference", "shift")
            )
        ),
        evaluations=lambda w: expand(
            "<results>/evaluations/{family}.json", family=plan.studies[w.study]["families"]
        ),
        overlap="<results>/studies/{study}/overlap.csv",
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
        study=one_of(plan.studies),
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: plain(
            {
                "roles": plan.studies[w.study]["roles"],
                "cloud": plan.cloud,
                "class_notes": plan.class_notes,
                "held_out_note": plan.held_out_note,
                "trained_in_bf16": [
                    name
                    for name, model in plan.studies[w.study]["models"].items()
                    if model["settings"].get("precision") == "bf16"
                ],
                **config["statistics"],
            }
        ),
        code=code_digest("main_table.py"),
    message:
        "Measuring {wildcards.study}"
    script:
        "../workflow_scripts/main_table.py"


rule summary:
    """Put the seeds of a study side by side."""
    input:
        findings=expand("<results>/studies/{study}/findings.csv", study=plan.studies),
        main_tables=expand("<results>/studies/{study}/main_table.md", study=plan.studies),
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
        name=config["study"],
    localrule: True
    conda:
        "../envs/stockpot.yaml"
    params:
        spec={},
        code=code_digest("summary.py"),
    message:
        "Summing up {wildcards.name}"
    script:
        "../workflow_scripts/summary.py"
