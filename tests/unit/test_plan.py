"""What the jobs of a plan answer to the rules."""

from types import SimpleNamespace

import pytest

from stockpot.planning import build_plan as planning
from stockpot.planning.data_jobs import FilteredDataset
from stockpot.planning.jobs import COMPARED, Present, artefact_id
from stockpot.planning.resources import Machine, Needs, check_gpus, resolve_gpus
from stockpot.planning.saved_plan import read_plan, to_json
from stockpot.planning.study_jobs import AnalysisJob, MainTableJob, OverviewJob
from stockpot.planning.study_outputs import FigureChoice, figure_choices
from stockpot.planning.targets import source_files, targets
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.job_parameters import HiddenParameters
from stockpot.workflow.directives import NOTHING
from stockpot.workflow.end_of_run import failure_text, success_text
from stockpot.workflow.rule_plan import RulePlan
from tests.support.paths import ROOT

MACHINE = Machine(threads=3, gpus=2)


@pytest.fixture
def plan(config):
    return planning.build(config, lambda path: ROOT / path)


@pytest.fixture
def rules(plan, tmp_path):
    workflow = SimpleNamespace(is_main_process=True, non_local_exec=False)
    return RulePlan(workflow, plan, MACHINE, tmp_path / "plan.json", plan.config)


def called(jobs: dict, name: str):
    """The only job of this name."""
    (job,) = [job for job in jobs.values() if job.name == name]
    return job


def test_a_plan_is_read_back_with_its_types(plan):
    assert read_plan(to_json(plan)) == plan


@pytest.mark.parametrize(
    "change",
    [
        {"runs": {"a": {"type": "RunJob", "id": "a"}}},
        {"runs": {"a": {"type": "Unknown"}}},
        {"counts": {"train": "many"}},
        {"counts": None},
        {"more": 1},
    ],
)
def test_a_plan_of_other_types_is_refused(plan, change):
    with pytest.raises((KeyError, TypeError, AttributeError)):
        read_plan({**to_json(plan), **change})


def test_a_job_has_a_rule_a_name_and_code(plan):
    for job in plan.jobs():
        if job.rule and job.rule != "compare":
            script, *plugins = job.code(plan)
            assert job.id
            assert job.name
            for file in (script, *plugins):
                assert (ROOT / "workflow_scripts" / file).is_file()


def test_what_a_job_follows_from_is_planned(plan):
    ids = {job.id for job in plan.jobs()}
    for job in plan.jobs():
        for role, follows in job.follows().items():
            assert set(follows) <= ids, (job.id, role)


def test_an_id_is_a_name_and_a_digest():
    run_id = artefact_id("base", {"lr": 1, "epochs": 2})
    assert run_id == artefact_id("base", {"epochs": 2, "lr": 1})
    assert run_id.startswith("base-")
    assert run_id != artefact_id("base", {"lr": 2, "epochs": 2})


# Files.


def test_the_adversary_does_not_wait_for_the_set_that_it_makes(plan):
    (filtered,) = [
        job for job in plan.datasets.values() if isinstance(job, FilteredDataset)
    ]
    adversary, base = plan.runs[filtered.adversary], called(plan.runs, "base")
    assert adversary.inputs(plan)["compared"] == []
    assert base.inputs(plan)["compared"] == [COMPARED]
    assert isinstance(base.inputs(plan)["compared"][0], Present)
    assert filtered.origin == filtered.pool


def test_a_sweep_waits_for_the_evaluations_of_its_ends(plan):
    sweep = next(job for job in plan.evaluations.values() if job.name == "greedy-sweep")
    greedy = called(plan.soups, "greedy")
    assert sweep.rule == "sweep"
    assert sweep.models == [greedy.id]
    assert sweep.classifiers(plan) == list(
        dict.fromkeys([*sweep.sweep_start, *greedy.classifiers])
    )
    shared = [plan.evaluations[evaluation_id] for evaluation_id in sweep.shared(plan)]
    names = {evaluation.name for evaluation in shared}
    assert names == {"zero-shot", "greedy"}
    assert sweep.inputs(plan)["recipes"] == [f"<results>/recipes/{greedy.id}.json"]


def test_a_soup_finds_the_cells_of_its_ingredients(plan):
    greedy = next(job for job in plan.evaluations.values() if job.name == "greedy")
    shared = greedy.shared(plan)
    ingredients = called(plan.soups, "greedy").classifiers
    assert set(shared) == set(plan.evaluations_of(ingredients))


def test_targets_are_what_people_read_and_what_it_follows_from(plan):
    files = targets(plan)
    assert len(files) == len(set(files))
    folder = "<results>/studies/objects/seed0"
    assert f"{folder}/main_table.md" in files
    assert f"{folder}/figures/samples.csv" in files
    assert f"{folder}/analyses/cost.html" in files
    assert f"{folder}/figures/cost.pdf" in files
    assert "<results>/studies/objects/summary.md" in files
    assert set(source_files(plan)) <= set(files)
    assert not [
        file for file in files if file.endswith((".npy", "classifier.safetensors"))
    ]


def test_geometry_is_asked_for_where_an_analysis_looks_at_it(config):
    def asked(analyses: dict) -> bool:
        plan = planning.build(
            {**config, "analyses": analyses}, lambda path: ROOT / path
        )
        return any(file.endswith("geometry.csv") for file in source_files(plan))

    assert asked({"pairs": {}})
    assert not asked({"cost": {}})


# Figures and pages.


@pytest.mark.parametrize(
    ("analyses", "expected"),
    [
        ({"cost": {}}, {"cost": FigureChoice("cost", "cost")}),
        (
            {"pairs": {}},
            {
                "pair-losses": FigureChoice("pair-losses", "pairs"),
                "pair-accuracies": FigureChoice("pair-accuracies", "pairs"),
            },
        ),
        (
            {"growing-seeds": {"analysis": "growing"}},
            {"growing-seeds": FigureChoice("growing", "growing-seeds")},
        ),
    ],
)
def test_figures_of_analyses_have_readable_names(analyses, expected):
    assert figure_choices({"figures": {}, "analyses": analyses}) == expected


def test_figures_of_the_main_tables_have_the_names_of_their_modules(config):
    choices = figure_choices({**config, "analyses": {}})
    assert choices["alpha"] == FigureChoice("alpha")
    assert "cost" not in choices, "it draws an analysis"


def test_captions_have_the_level_and_the_sizes(plan):
    caption = plan.figures["objects/seed0", "effective-robustness"].caption
    assert "95 %" in caption
    assert "reference 4,000" in caption


def test_the_overview_shows_what_the_study_has(config):
    (overview,) = overviews(config)
    assert overview.texts[0] == "main_table.md"
    assert "analyses/diagnosis.md" in overview.texts
    assert len(overview.heads) == len(overview.texts)
    (short,) = overviews({**config, "analyses": {}, "figures": {"alpha": {}}})
    assert short.texts == ("main_table.md",)
    assert short.figures == ()


def overviews(config) -> list[OverviewJob]:
    plan = planning.build(config, lambda path: ROOT / path)
    return [job for job in plan.study_jobs if isinstance(job, OverviewJob)]


def test_the_main_table_is_told_of_half_precision(config):
    config["finetune"]["runs"]["base"]["precision"] = "bf16"
    plan = planning.build(config, lambda path: ROOT / path)
    (job,) = [job for job in plan.study_jobs if isinstance(job, MainTableJob)]
    assert job.parameters(plan)["trained_in_bf16"] == ["base"]
    assert job.parameters(plan)["roles"][0] == ["held-out", "held-out"]


# Resources.


def test_two_training_sets_are_held_in_memory(config):
    config["finetune"]["runs"]["both"] = {"second_dataset": "standard-train"}
    plan = planning.build(config, lambda path: ROOT / path)
    one, both = called(plan.runs, "base"), called(plan.runs, "both")
    images = plan.images_of(both.training_sets)
    more = both.needs(plan, MACHINE, 1).mb - one.needs(plan, MACHINE, 1).mb
    assert more == 2 * images * 3 * 32**2 >> 20


def test_one_process_trains_what_cannot_share_its_batches(plan):
    base, linear = called(plan.runs, "base"), called(plan.runs, "linear")
    assert (base.gpus(plan, MACHINE), linear.gpus(plan, MACHINE)) == (2, 1)
    assert base.gpus(plan, Machine(threads=1, gpus=0)) == 0


def test_every_try_of_an_analysis_asks_for_more(plan, rules):
    (job, *_) = [job for job in plan.study_jobs if isinstance(job, AnalysisJob)]
    asked = SimpleNamespace(study=job.study, analysis=job.entry)
    assert [rules.analysis.mem_mb(asked, attempt, 1) for attempt in (1, 2)] == [
        8000,
        16000,
    ]
    assert Needs(100, 5).with_more(3 << 20) == (103, 5)


@pytest.mark.parametrize(
    ("requested", "profile", "detected", "gpus"),
    [
        ("auto", None, 1, 1),
        ("auto", None, 0, 0),
        ("auto", 4, 0, 4),
        (2, None, 0, 2),
        (0, 4, 1, 0),
    ],
)
def test_gpus_are_those_of_the_config_the_profile_or_the_machine(
    requested, profile, detected, gpus
):
    assert resolve_gpus(requested, profile, detected) == gpus


def test_gpus_that_jobs_would_not_get_are_refused():
    check_gpus(2, 2, 2)
    check_gpus(2, None, None)
    with pytest.raises(
        StockpotError, match="gpus: 1, but set-resources .* finetune gpu: 4"
    ):
        check_gpus(1, 4, None)
    with pytest.raises(
        StockpotError, match="gpus: 2, but --resources gpu=1; give .* gpu=2"
    ):
        check_gpus(2, None, 1)


# Directives.


def test_directives_are_functions_of_wildcards(plan, rules):
    run = called(plan.runs, "base")
    asked = SimpleNamespace(run=run.id)
    inputs = rules.finetune.inputs(asked)
    assert inputs["train_data"] == [f"<results>/datasets/{run.train}/dataset.json"]
    assert inputs["train_arrays"][0].flags["ancient"]
    assert "flags" not in dir(inputs["train_data"])
    assert rules.finetune.spec(asked) is run.spec
    assert rules.finetune.gpus(asked) == 2
    assert rules.finetune.mem_mb(asked, 3, 1) == 4 * rules.finetune.mem_mb(asked, 1, 1)
    assert len(rules.finetune.code(asked)) == 16


def test_wildcards_are_those_of_the_rule_alone(plan, rules):
    assert set(rules.finetune.names("run").split("|")) == set(plan.runs)
    assert rules.finetune_with_averages.names("run") == NOTHING
    sweeps = {job.id for job in plan.evaluations.values() if job.sweep_start}
    assert set(rules.sweep.names("evaluation").split("|")) == sweeps
    assert rules.page.names("study") == "objects/seed0"
    (own,) = [sweep for sweep in sweeps if sweep.startswith("greedy-sweep")]
    assert rules.evaluate.spec(SimpleNamespace(evaluation=own)), "use rule passes it on"


def test_class_names_are_kept_out_of_the_report(rules):
    spec = rules.samples.spec(SimpleNamespace(study="objects/seed0"))
    assert isinstance(spec, HiddenParameters)
    assert spec["columns"] == 12


def test_every_format_has_a_rule(config, tmp_path):
    config["exports"] = {"mine": {"model": "base", "format": "open-clip"}}
    plan = planning.build(config, lambda path: ROOT / path)
    rules = RulePlan(None, plan, MACHINE, tmp_path / "plan.json", config)
    found = {exported.rule: exported for exported in rules.exports}
    assert set(found) == {"export_open_clip", "export_state_dict", "export_classifier"}
    assert found["export_open_clip"].names("export") == "mine"
    assert found["export_classifier"].names("export") == NOTHING
    assert all(
        "{study}/exports/{export}/" in file
        for file in found["export_open_clip"].outputs
    )
    asked = SimpleNamespace(study="objects/seed0", export="mine")
    assert found["export_open_clip"].inputs(asked)["recipe"] == []


# Ends.


def test_a_finished_study_says_what_to_read(plan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert success_text(plan) == "", "nothing was made"
    page = tmp_path / "results/studies/objects/seed0/overview.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert (
        success_text(plan) == "\nRead results/studies/objects/seed0/overview.html first"
    )


def test_a_failed_study_says_how_to_go_on(tmp_path):
    log = tmp_path / "log"
    log.write_text("nothing")
    assert failure_text([str(log)]).splitlines() == [
        "",
        "Not finished: interrupted, or see above",
        "What is done is kept; the same command goes on.",
    ]
