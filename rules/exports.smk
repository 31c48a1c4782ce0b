# A rule per format, as their files differ. They are named one by one: for a folder as an output
# Snakemake would leave a hidden file of its own in it.
for form in formats.names():

    rule:
        name:
            f"export_{form.replace('-', '_')}"
        input:
            unpack(lambda w: classifier_files(*classifiers_behind(w))),
            unpack(lambda w: prefixed("clip", model_files())),
            recipe=recipe_behind,
        output:
            [f"<results>/studies/{{study}}/exports/{{export}}/{name}" for name in written_as(form)],
        log:
            "<results>/logs/export/{study}/{export}.log",
        wildcard_constraints:
            study=one_of(plan.studies),
            export=one_of(exports_as(form)),
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
