rule export:
    """Write one model for use elsewhere, in the format that the config names."""
    input:
        unpack(lambda w: classifier_files(*classifiers_behind(w))),
        unpack(lambda w: prefixed("clip", model_files())),
        recipe=recipe_behind,
    output:
        directory("<results>/studies/{study}/exports/{export}"),
    log:
        "<results>/logs/export/{study}/{export}.log",
    wildcard_constraints:
        study=one_of(plan.studies),
        export=one_of(config["exports"]),
    conda:
        "../envs/stockpot.yaml"
    params:
        spec=lambda w: exported(w)["spec"],
        code=lambda w: code_digest(
            "export.py", plugin("models/formats", exported(w)["spec"]["format"])
        ),
    message:
        "Exporting {wildcards.export} of {wildcards.study}"
    script:
        "../workflow_scripts/export.py"
