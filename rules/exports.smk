# A rule per format, as their files differ.
for exported in plan.exports:

    rule:
        name:
            exported.rule
        input:
            unpack(exported.inputs),
        output:
            exported.outputs,
        log:
            "<results>/logs/export/{study}/{export}.log",
        wildcard_constraints:
            study=exported.names("study"),
            export=exported.names("export"),
        conda:
            "../envs/stockpot.yaml"
        params:
            spec=exported.spec,
            code=exported.code,
        message:
            "Exporting {wildcards.export} of {wildcards.study}"
        script:
            "../workflow_scripts/export.py"
