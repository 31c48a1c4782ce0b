"""The jobs of each study that make what people look at: tables, analyses, figures, pages."""

from dataclasses import dataclass

from .. import analyses, figures
from ..runtime.digest import plain
from ..runtime.registry import defaults
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
HEADS = {
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
        "## Would these runs make a good soup?\n\nOf the end-to-end runs, or of the soup that "
        "analyses.diagnosis names; all on the held-out set."
    ),
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


def figure_choices(config: dict) -> dict[str, FigureChoice]:
    """Name -> figure, of all that a study draws.

    A figure of the main tables has the name of its module. The figure of an analysis has the name
    of the entry that it draws; if the analysis has several figures, or one with the entry's name,
    they have their own names, after the entry's where the entry has another name than its analysis:

    - entry ``cost``, drawn by one figure ``cost``: ``cost``
    - entry ``pairs``, drawn by two figures: ``pair-losses`` and ``pair-accuracies``
    - entry ``growing-seeds`` of the analysis ``growing``: ``growing-seeds``

    Args:
        config: A config that was checked.
    """
    choices = {
        name: FigureChoice(name)
        for name in config["figures"]
        if not figures.draws(name)
    }
    for entry in config["analyses"]:
        kind = analyses.kind(config, entry)
        drawn = [name for name in figures.names() if figures.draws(name) == kind]
        for name in drawn:
            own = name if kind == entry else f"{entry}-{name}"
            keeps_name = len(drawn) > 1 or name == own
            choices[own if keeps_name else entry] = FigureChoice(name, entry)
    return choices


def study_jobs(plan: Plan) -> list[StudyJob]:
    """The jobs of all studies of a plan, and those that compare and sum up the studies."""
    jobs: list[StudyJob] = []
    for study in plan.studies.values():
        jobs += _table_jobs(study)
        jobs += _analysis_jobs(plan, study)
        jobs += _figure_jobs(plan, study)
        jobs += _page_jobs(plan, study)
        jobs += _export_jobs(plan, study)
    name = plan.config["study"]
    jobs.append(CompareJob("compared", study=name))
    jobs.append(SummaryJob(f"{name}/summary", study=name))
    return jobs


def _table_jobs(study: StudyPlan) -> list[StudyJob]:
    kinds = {
        "overlap": OverlapJob,
        "geometry": GeometryJob,
        "main_table": MainTableJob,
        "samples": SamplesJob,
        "explore": ExploreJob,
    }
    return [kind(f"{study.id}/{name}", study=study.id) for name, kind in kinds.items()]


def _analysis_jobs(plan: Plan, study: StudyPlan) -> list[StudyJob]:
    """Every entry of the analyses, each with its mixes if it looks at some."""
    jobs: list[StudyJob] = []
    for entry in plan.config["analyses"]:
        kind = analyses.kind(plan.config, entry)
        options = _analysis_options(plan.config, entry)
        asked = {
            "study": study.id,
            "entry": entry,
            "analysis": kind,
            "options": options,
        }
        if analyses.evaluates(kind):
            runs = _mixed_runs(study, options)
            jobs.append(MixesJob(f"{study.id}/mixes/{entry}", **asked, runs=runs))
        jobs.append(AnalysisJob(f"{study.id}/analyses/{entry}", **asked))
    return jobs


def _analysis_options(config: dict, entry: str) -> dict:
    """All options of an entry: those given, else the defaults."""
    given = {
        key: value
        for key, value in config["analyses"][entry].items()
        if key != "analysis"
    }
    return defaults(analyses.options(analyses.kind(config, entry))) | given


def _mixed_runs(study: StudyPlan, options: dict) -> tuple[str, ...]:
    """Ids of the runs whose mixes an analysis looks at: those it names, or all end-to-end."""
    soup = study.models.get(options.get("soup"), {})
    wanted = options.get("models") or soup.get("ingredients") or list(study.runs)
    return tuple(study.runs[run] for run in wanted if run in study.runs)


def _figure_jobs(plan: Plan, study: StudyPlan) -> list[StudyJob]:
    jobs = []
    for name, choice in figure_choices(plan.config).items():
        given = plan.config["figures"].get(choice.figure, {})
        options = defaults(figures.options(choice.figure)) | given
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


def _caption(plan: Plan, figure: str, options: dict) -> str:
    """How to read it, with the level, the axis and the numbers of images of this study."""
    notes = {name: f" ({note})" for name, note in plan.class_notes.items()}
    sizes = [f"{name} {n:,}{notes.get(name, '')}" for name, n in plan.sizes.items()]
    config = plan.config
    level = f"{100 * config['statistics']['confidence']:g} %"
    axis = config["statistics"]["axis"]
    has_line = bool(config["standard"]["models"] or plan.cloud)
    shifts = config["data"]["shifts"]
    return figures.caption(
        figure, level, axis, ", ".join(sizes), options, shifts, has_line
    )


def _page_jobs(plan: Plan, study: StudyPlan) -> list[StudyJob]:
    """A page for every analysis, and the overview."""
    choices = figure_choices(plan.config)
    jobs: list[StudyJob] = []
    for entry in plan.config["analyses"]:
        drawn = tuple(
            name for name, choice in choices.items() if choice.analysis == entry
        )
        job = PageJob(
            f"{study.id}/pages/{entry}",
            study=study.id,
            entry=entry,
            title=f"{entry.replace('-', ' ').capitalize()}, {study.id}",
            heads=("",),
            texts=(f"analyses/{entry}.md",),
            figures=drawn,
        )
        jobs.append(job)
    return [*jobs, _overview(plan, study, list(choices))]


def _overview(plan: Plan, study: StudyPlan, drawn: list[str]) -> OverviewJob:
    shown = [name for name in OVERVIEW_ANALYSES if name in plan.config["analyses"]]
    return OverviewJob(
        f"{study.id}/overview",
        study=study.id,
        title=f"Overview of {study.id}",
        heads=tuple(HEADS[name] for name in ("overview", *shown)),
        texts=("main_table.md", *(f"analyses/{name}.md" for name in shown)),
        figures=tuple(name for name in OVERVIEW_FIGURES if name in drawn),
    )


def _export_jobs(plan: Plan, study: StudyPlan) -> list[StudyJob]:
    """The exports of the config."""
    config = plan.config
    jobs = []
    for name, entry in config["exports"].items():
        job = ExportJob(
            f"{study.id}/exports/{name}",
            study=study.id,
            entry=name,
            spec=plain({"name": name, "alpha": None, **entry}),
            model=study.exportable[entry["model"]],
        )
        jobs.append(job)
    return jobs
