from snakemake.utils import min_version

min_version("9.12")


# With this path Snakemake finds the file in a local Git repository as well, and then all others.
include: workflow.current_basedir.join("rules/library.smk")
include: "rules/interpreter.smk"
include: "rules/common.smk"
include: "rules/common_analyses.smk"
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
include: "rules/behind.smk"


report: "report/workflow.rst"


rule all:
    default_target: True
    input:
        behind(),
        expand(
            "<results>/studies/{study}/main_table.{format}",
            study=plan.studies,
            format=["md", "tex"],
        ),
        expand(
            "<results>/studies/{study}/{table}.csv",
            study=plan.studies,
            table=["measurements", "robustness", "fits", "findings"],
        ),
        expand(
            "<results>/studies/{study}/analyses/{analysis}.{format}",
            study=plan.studies,
            analysis=config["analyses"],
            format=["csv", "md", "tex", "html"],
        ),
        expand("<results>/studies/{study}/{page}.html", study=plan.studies, page=config["pages"]),
        expand(
            "<results>/studies/{name}/summary.{format}",
            name=config["study"],
            format=["md", "html"],
        ),
        expand(
            "<results>/studies/{study}/figures/{figure}.{format}",
            study=plan.studies,
            figure=[*FIGURES, "samples"],
            format=["pdf", "png", "csv"],
        ),
        [
            f"<results>/studies/{study}/exports/{export}/{name}"
            for study in plan.studies
            for export, entry in config["exports"].items()
            for name in written_as(entry["format"])
        ],


onstart:
    try:
        spec.save(plan, PLAN, as_written)
    except (StockpotError, OSError) as error:
        refuse(f"{PLAN}: cannot be written ({error})")


onerror:
    print(failure(log))
    cancel_jobs_left(log)


onsuccess:
    first = "overview.html" if "overview" in config["pages"] else "main_table.md"
    pages = [Path(f"results/studies/{study}/{first}") for study in plan.studies]
    print("".join(f"\nRead {page} first" for page in pages if page.exists()))
    for page in pages:
        for sentence in said_in(page.with_name("main_table.md")):
            print(f"{page.parent.name}: {one_line(sentence)}")
