"""Jobs of a plan: names, code, and what each follows from."""

from stockpot.planning.data_jobs import FilteredDataset
from stockpot.planning.jobs import COMPARED, Present, artefact_id
from tests.support.paths import ROOT
from tests.support.plans import job_named


def test_a_job_has_a_rule_a_name_and_code(embedded_plan):
    for job in embedded_plan.jobs():
        if job.rule and job.rule != "compare":
            script, *plugins = job.code(embedded_plan)
            assert job.id
            assert job.name
            for file in (script, *plugins):
                assert (ROOT / "workflow_scripts" / file).is_file()


def test_what_a_job_follows_from_is_planned(embedded_plan):
    ids = {job.id for job in embedded_plan.jobs()}
    for job in embedded_plan.jobs():
        for role, follows in job.follows().items():
            assert set(follows) <= ids, (job.id, role)


def test_an_id_is_a_name_and_a_digest():
    run_id = artefact_id("base", {"lr": 1, "epochs": 2})
    assert run_id == artefact_id("base", {"epochs": 2, "lr": 1})
    assert run_id.startswith("base-")
    assert run_id != artefact_id("base", {"lr": 2, "epochs": 2})


def test_the_adversary_does_not_wait_for_the_set_that_it_makes(embedded_plan):
    (filtered,) = [
        job
        for job in embedded_plan.datasets.values()
        if isinstance(job, FilteredDataset)
    ]
    adversary, base = (
        embedded_plan.runs[filtered.adversary],
        job_named(embedded_plan.runs, "base"),
    )
    assert adversary.inputs(embedded_plan)["compared"] == []
    assert base.inputs(embedded_plan)["compared"] == [COMPARED]
    assert isinstance(base.inputs(embedded_plan)["compared"][0], Present)
    assert filtered.origin == filtered.pool


def test_a_sweep_waits_for_the_evaluations_of_its_ends(embedded_plan):
    sweep = next(
        job for job in embedded_plan.evaluations.values() if job.name == "greedy-sweep"
    )
    greedy = job_named(embedded_plan.soups, "greedy")
    assert sweep.rule == "sweep"
    assert sweep.models == [greedy.id]
    assert sweep.classifiers(embedded_plan) == list(
        dict.fromkeys([*sweep.sweep_start, *greedy.classifiers])
    )
    shared = [
        embedded_plan.evaluations[evaluation_id]
        for evaluation_id in sweep.shared(embedded_plan)
    ]
    names = {evaluation.name for evaluation in shared}
    assert names == {"zero-shot", "greedy"}
    assert sweep.inputs(embedded_plan)["recipes"] == [
        f"<results>/recipes/{greedy.id}.json"
    ]


def test_a_soup_finds_the_cells_of_its_ingredients(embedded_plan):
    greedy = next(
        job for job in embedded_plan.evaluations.values() if job.name == "greedy"
    )
    shared = greedy.shared(embedded_plan)
    ingredients = job_named(embedded_plan.soups, "greedy").classifiers
    assert set(shared) == set(embedded_plan.evaluations_of(ingredients))
