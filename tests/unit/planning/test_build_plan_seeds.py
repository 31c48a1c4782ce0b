"""Search points and seeds: which ids studies share."""

from tests.support.plans import KINDS, ids_by_name, ids_of, plan_of

# Random search.


def test_search_points_stay_when_there_are_more(config):
    before = plan_of(config)
    count = config["finetune"]["search"]["runs"]
    config["finetune"]["search"]["runs"] += 3
    after = plan_of(config)
    assert before.runs.items() <= after.runs.items()
    new = set(ids_by_name(after, "runs")) - set(ids_by_name(before, "runs"))
    assert new == {f"search-{i:02d}" for i in range(count, count + 3)}


def test_seeds_share_the_zero_shot_model_and_search_points_and_nothing_else(config):
    plans = [plan_of({**config, "seeds": [seed]}) for seed in (0, 1)]
    assert ids_of(plans[0]) & ids_of(plans[1]) == set(plans[0].zero_shots)
    specs = [
        {n: plan.runs[run_id].spec for n, run_id in ids_by_name(plan, "runs").items()}
        for plan in plans
    ]
    for name, first in specs[0].items():
        second = specs[1][name]
        assert first["seed"] != second["seed"]
        assert {**first, "seed": 0} == {**second, "seed": 0}
    for name, dataset_id in ids_by_name(plans[0], "datasets").items():
        other = plans[1].datasets[ids_by_name(plans[1], "datasets")[name]].spec
        assert (plans[0].datasets[dataset_id].spec["seed"], other["seed"]) == (0, 1)
    seeds = [run.spec["seed"] for plan in plans for run in plan.runs.values()]
    assert len(set(seeds)) == len(seeds), "every run has its own"


def test_a_study_of_two_seeds_is_the_two_studies(config):
    both = plan_of({**config, "seeds": [0, 1]})
    one, two = (plan_of({**config, "seeds": [seed]}) for seed in (0, 1))
    for kind in KINDS:
        assert getattr(both, kind) == {**getattr(one, kind), **getattr(two, kind)}
    assert both.studies == {**one.studies, **two.studies}
