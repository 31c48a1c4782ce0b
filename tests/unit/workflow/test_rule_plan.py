"""What the rules ask of the plan: wildcards, inputs, parameters and resources."""

from types import SimpleNamespace

import pytest

from stockpot.planning import build_plan
from stockpot.planning.resources import Needs
from stockpot.planning.study_jobs import AnalysisJob
from stockpot.runtime.job_parameters import HiddenParameters
from stockpot.workflow.directives import NOTHING
from stockpot.workflow.rule_plan import RulePlan
from tests.support.paths import ROOT
from tests.support.plans import MACHINE, job_named


@pytest.fixture
def embedded_rules(embedded_plan, tmp_path):
    workflow = SimpleNamespace(is_main_process=True, non_local_exec=False)
    return RulePlan(
        workflow, embedded_plan, MACHINE, tmp_path / "plan.json", embedded_plan.config
    )


def test_every_try_of_an_analysis_asks_for_more(embedded_plan, embedded_rules):
    (job, *_) = [
        job for job in embedded_plan.study_jobs if isinstance(job, AnalysisJob)
    ]
    asked = SimpleNamespace(study=job.study, analysis=job.entry)
    assert [
        embedded_rules.analysis.mem_mb(asked, attempt, 1) for attempt in (1, 2)
    ] == [
        8000,
        16000,
    ]
    assert Needs(100, 5).with_more(3 << 20) == (103, 5)


# Directives.


def test_directives_are_functions_of_wildcards(embedded_plan, embedded_rules):
    run = job_named(embedded_plan.runs, "base")
    asked = SimpleNamespace(run=run.id)
    inputs = embedded_rules.finetune.inputs(asked)
    assert inputs["train_data"] == [f"<results>/datasets/{run.train}/dataset.json"]
    assert inputs["train_arrays"][0].flags["ancient"]
    assert "flags" not in dir(inputs["train_data"])
    assert embedded_rules.finetune.spec(asked) is run.spec
    assert embedded_rules.finetune.gpus(asked) == 2
    assert embedded_rules.finetune.mem_mb(
        asked, 3, 1
    ) == 4 * embedded_rules.finetune.mem_mb(asked, 1, 1)
    assert len(embedded_rules.finetune.code(asked)) == 16


def test_wildcards_are_those_of_the_rule_alone(embedded_plan, embedded_rules):
    assert set(embedded_rules.finetune.names("run").split("|")) == set(
        embedded_plan.runs
    )
    assert embedded_rules.finetune_with_averages.names("run") == NOTHING
    sweeps = {job.id for job in embedded_plan.evaluations.values() if job.sweep_start}
    assert set(embedded_rules.sweep.names("evaluation").split("|")) == sweeps
    assert embedded_rules.page.names("study") == "objects/seed0"
    (own,) = [sweep for sweep in sweeps if sweep.startswith("greedy-sweep")]
    assert embedded_rules.evaluate.spec(SimpleNamespace(evaluation=own)), (
        "use rule passes it on"
    )


def test_class_names_are_kept_out_of_the_report(embedded_rules):
    spec = embedded_rules.samples.spec(SimpleNamespace(study="objects/seed0"))
    assert isinstance(spec, HiddenParameters)
    assert spec["columns"] == 12


def test_every_format_has_a_rule(config, tmp_path):
    config["exports"] = {"mine": {"model": "base", "format": "open-clip"}}
    plan = build_plan.build(config, lambda path: ROOT / path)
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
