from snakemake.utils import min_version

min_version("9.12")


# With this path Snakemake finds the file in a local Git repository as well, and then all others.
include: workflow.current_basedir.join("rules/library.smk")


from stockpot.workflow.start import start

# The one name that all rule files use.
plan = start(workflow, config)


include: "rules/data.smk"
include: "rules/models.smk"
include: "rules/zero_shot.smk"
include: "rules/finetune.smk"
include: "rules/soups.smk"
include: "rules/evaluate.smk"
include: "rules/tables.smk"
include: "rules/analyses.smk"
include: "rules/figures.smk"
include: "rules/pages.smk"
include: "rules/exports.smk"


report: "report/workflow.rst"


rule all:
    default_target: True
    input:
        plan.results,
    message:
        "Asking for everything of the study"


onstart:
    plan.save()


onerror:
    plan.fail(log)


onsuccess:
    plan.finish()
