"""The jobs of each study that make what people look at: tables, analyses, figures, pages."""

from dataclasses import dataclass
from typing import Any

from .. import analyses, figures
from ..runtime.digest import plain
from ..runtime.registry import defaults
from .jobs import Config
from .plan import Plan
from .study_jobs import (
    AnalysisJob,
    CompareJob,
    ExploreJob,
    ExportJob,
    FigureJob,
    GeometryJob,
    MainTableJob,
    MixesJob,
    OverlapJob,
    OverviewJob,
    PageJob,
    SamplesJob,
    StudyJob,
    StudyPlan,
    SummaryJob,
)

# Analyses that the overview shows below the main table, and what stands above each table.
OVERVIEW_ANALYSES = ("choosing-alpha", "diagnosis")
OVERVIEW_FIGURES = ("effective-robustness",)
SECTION_INTROS = {
    "overview": (
        "## Every model\n\nRows that are called oracle are chosen on the test sets, and are never "
        "bold."
    ),
    "choosing-alpha": (
        "## Which alpha?\n\nOver all sweeps: the alphas that each rule chooses, mean accuracies in "
        "percent, and regret, the points that it misses of the best alpha of the same sweep: under "
        "shift, and on the mean of reference and shifts."
    ),
    "diagnosis": (
        "## Would these runs make a good soup?\n\nThis is about all end-to-end runs, or about "
        "the soup that analyses.diagnosis names. All numbers are on the held-out set."
    ),
}
# Jobs that every study has once, by the ends of their ids.
ONCE_PER_STUDY: dict[str, type[StudyJob]] = {
    "overlap": OverlapJob,
    "geometry": GeometryJob,
    "main_table": MainTableJob,
    "samples": SamplesJob,
    "explore": ExploreJob,
}


@dataclass(frozen=True)
class FigureChoice:
    """A figure of a study.

    Attributes:
        figure: Its module.
        analysis: Entry of the analyses that it draws; "" where it draws the main tables.
    """

    figure: str
    analysis: str = ""


def figure_choices(config: Config) -> dict[str, FigureChoice]:
    """Name all figures that a study draws.

    A figure of the main tables has the name of its module. The figure of an analysis has the name
    of the entry that it draws; if the analysis has several figures, or one with the entry's name,
    they have their own names, after the entry's where the entry has another name than its analysis:

    - entry ``cost``, drawn by one figure ``cost``: ``cost``
    - entry ``pairs``, drawn by two figures: ``pair-losses`` and ``pair-accuracies``
    - entry ``growing-seeds`` of the analysis ``growing``: ``growing-seeds``

    Args:
        config: A config that was checked.

    Returns:
        Name -> figure.
    """
    choices = {}
    for figure in config["figures"]:
        # Figures of analyses come with them, and need not be named in the config.
        if not figures.draws(figure):
            choices[figure] = FigureChoice(figure)
    for entry in config["analyses"]:
        analysis = analyses.kind(config, entry)
        drawing = [name for name in figures.names() if figures.draws(name) == analysis]
        for figure in drawing:
            own_name = figure if analysis == entry else f"{entry}-{figure}"
            keeps_name = len(drawing) > 1 or figure == own_name
            name = own_name if keeps_name else entry
            choices[name] = FigureChoice(figure, entry)
    return choices


def study_jobs(plan: Plan) -> list[StudyJob]:
    """List the jobs of all studies of a plan, and those that compare and sum up the studies.

    Args:
        plan: A plan with its studies.

    Returns:
        The jobs, study after study.
    """
    jobs: list[StudyJob] = []
    for study in plan.studies.values():
        jobs += _table_jobs(study)
        jobs += _analysis_jobs(plan, study)
        jobs += _figure_jobs(plan, study)
        jobs += _page_jobs(plan, study)
        jobs += _export_jobs(plan, study)
    name = plan.config["study"]
    # These two look at all seeds together.
    jobs.append(CompareJob("compared", study=name))
    jobs.append(SummaryJob(f"{name}/summary", study=name))
    return jobs


def _table_jobs(study: StudyPlan) -> list[StudyJob]:
    """Jobs that every study has once."""
    jobs = []
    for name, job_type in ONCE_PER_STUDY.items():
        jobs.append(job_type(f"{study.id}/{name}", study=study.id))
    return jobs


def _analysis_jobs(
    plan: Plan,
    study: StudyPlan,
) -> list[StudyJob]:
    """Every entry of the analyses, each with its mixes if it looks at some."""
    jobs: list[StudyJob] = []
    for entry in plan.config["analyses"]:
        analysis = analyses.kind(plan.config, entry)
        options = _analysis_options(plan.config, entry)
        attributes = {
            "study": study.id,
            "entry": entry,
            "analysis": analysis,
            "options": options,
        }
        if analyses.evaluates(analysis):
            runs = _mixed_runs(study, options)
            mixes_id = f"{study.id}/mixes/{entry}"
            jobs.append(MixesJob(mixes_id, **attributes, runs=runs))
        jobs.append(AnalysisJob(f"{study.id}/analyses/{entry}", **attributes))
    return jobs


def _analysis_options(
    config: Config,
    entry: str,
) -> dict[str, Any]:
    """All options of an entry: those given, else the defaults."""
    options = defaults(analyses.options(analyses.kind(config, entry)))
    options |= config["analyses"][entry]
    # This key says which analysis it is, and is no option of that analysis.
    options.pop("analysis", None)
    return options


def _mixed_runs(
    study: StudyPlan,
    options: dict[str, Any],
) -> tuple[str, ...]:
    """Ids of the runs whose mixes an analysis looks at: those it names, or all end-to-end."""
    names = options.get("models")
    if not names and options.get("soup"):
        # The analysis may name a soup instead, whose ingredients are taken.
        soup = study.models.get(options["soup"], {})
        names = soup.get("ingredients")
    if not names:
        names = list(study.runs)
    # Ingredients that are no end-to-end runs have nothing to mix.
    return tuple(study.runs[name] for name in names if name in study.runs)


def _figure_jobs(
    plan: Plan,
    study: StudyPlan,
) -> list[StudyJob]:
    """All figures of a study."""
    jobs: list[StudyJob] = []
    for name, choice in figure_choices(plan.config).items():
        options = defaults(figures.options(choice.figure))
        options |= plan.config["figures"].get(choice.figure, {})
        job = FigureJob(
            f"{study.id}/figures/{name}",
            study=study.id,
            entry=name,
            figure=choice.figure,
            analysis=choice.analysis,
            options=options,
            caption=_caption(plan, choice.figure, options),
        )
        jobs.append(job)
    return jobs


def _caption(
    plan: Plan,
    figure: str,
    options: dict[str, Any],
) -> str:
    """How to read it, with the level, the axis and the numbers of images of this study."""
    config = plan.config
    sizes = []
    for name, image_count in plan.sizes.items():
        size = f"{name} {image_count:,}"
        if name in plan.class_notes:
            size += f" ({plan.class_notes[name]})"
        sizes.append(size)
    confidence = config["statistics"]["confidence"]
    # Without baselines there is no baseline fit to explain.
    has_baselines = bool(config["baselines"]["models"] or plan.published_models)
    return figures.caption(
        figure,
        f"{100 * confidence:g} %",
        config["statistics"]["axis"],
        ", ".join(sizes),
        options,
        config["data"]["shifts"],
        line=has_baselines,
    )


def _page_jobs(
    plan: Plan,
    study: StudyPlan,
) -> list[StudyJob]:
    """A page for every analysis, and the overview."""
    choices = figure_choices(plan.config)
    jobs: list[StudyJob] = []
    for entry in plan.config["analyses"]:
        # The page of an analysis shows all figures that draw it.
        names = [name for name in choices if choices[name].analysis == entry]
        job = PageJob(
            f"{study.id}/pages/{entry}",
            study=study.id,
            entry=entry,
            title=f"{entry.replace('-', ' ').capitalize()}, {study.id}",
            heads=("",),
            texts=(f"analyses/{entry}.md",),
            figures=tuple(names),
        )
        jobs.append(job)
    jobs.append(_overview_job(plan, study, list(choices)))
    return jobs


def _overview_job(
    plan: Plan,
    study: StudyPlan,
    figure_names: list[str],
) -> OverviewJob:
    """The page to read first: the main table, and some of the analyses and figures."""
    shown = [name for name in OVERVIEW_ANALYSES if name in plan.config["analyses"]]
    # The main table has no entry among the analyses.
    intros = [SECTION_INTROS[name] for name in ("overview", *shown)]
    texts = ["main_table.md", *(f"analyses/{name}.md" for name in shown)]
    drawn = [name for name in OVERVIEW_FIGURES if name in figure_names]
    return OverviewJob(
        f"{study.id}/overview",
        study=study.id,
        title=f"Overview of {study.id}",
        heads=tuple(intros),
        texts=tuple(texts),
        figures=tuple(drawn),
    )


def _export_jobs(
    plan: Plan,
    study: StudyPlan,
) -> list[StudyJob]:
    """The exports of the config."""
    jobs: list[StudyJob] = []
    for name, entry in plan.config["exports"].items():
        # alpha: null exports the model itself, not one on the way to it.
        spec = {
            "name": name,
            "alpha": None,
            **entry,
        }
        job = ExportJob(
            f"{study.id}/exports/{name}",
            study=study.id,
            entry=name,
            spec=plain(spec),
            model=study.exportable[entry["model"]],
        )
        jobs.append(job)
    return jobs
