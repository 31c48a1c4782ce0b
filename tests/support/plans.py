"""Plans of changed configs, and what two plans have in common."""

from stockpot.planning import build_plan
from stockpot.planning.resources import Machine
from tests.support.paths import ROOT

KINDS = ("datasets", "zero_shots", "runs", "soups", "evaluations")


def plan_of(config):
    return build_plan.build(config, lambda path: ROOT / path)


def ids_of(plan) -> set[str]:
    return {job_id for kind in KINDS for job_id in getattr(plan, kind)}


def ids_by_name(plan, kind) -> dict[str, str]:
    """Name -> id, of a plan of one seed."""
    return {job_id.rpartition("-")[0]: job_id for job_id in getattr(plan, kind)}


def changed_names(before, after) -> dict[str, set[str]]:
    """Names of each kind whose ids are no longer the same."""
    out = {}
    for kind in KINDS:
        a, b = ids_by_name(before, kind), ids_by_name(after, kind)
        out[kind] = {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}
    return {kind: names for kind, names in out.items() if names}


MACHINE = Machine(threads=3, gpus=2)


def job_named(jobs: dict, name: str):
    """The only job of this name."""
    (job,) = [job for job in jobs.values() if job.name == name]
    return job
