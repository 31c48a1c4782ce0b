"""What the micro study consists of, in jobs, and which cells may be computed."""

import json
from collections import Counter

from safetensors import safe_open

from tests.support.workflow import Workflow

FIGURES = 2
TABLES = Counter(main_table=1, summary=1, figure=FIGURES)
SOUPS = Counter(soup=3)
SOUPS_EVALUATED = Counter(evaluate=3, sweep=1)  # the greedy soup is swept
SETS = 5  # held-out, reference, three shifts


def renewed(study: Workflow, known: set[str]) -> set[str]:
    """Models with cells that are new, each on every data set.

    The greedy soup is left out: which models it is made of, and so whether its cells are
    new, follows from accuracies. So are ends of sweeps, which are the models themselves.
    """
    new = Counter(
        cell["model"]
        for cell in study.rows()
        if cell["key"] not in known
        and not cell["model"].startswith("greedy")
        and cell["alpha"] not in (0.0, 1.0)
    )
    assert set(new.values()) <= {SETS}
    return set(new)


def assert_only_missing(study: Workflow, known: set[str], computed: int) -> None:
    """Every computed cell is new, and one that a table lists or that the greedy selection wants.

    A cell that was computed again would make ``computed`` larger than the number of new ones.
    """
    new = study.stored() - known
    assert computed == len(new)
    candidates = greedy_candidates(study)
    for key in new - study.cells():
        with safe_open(study.stored_at(key), framework="np") as file:
            cell = json.loads(file.metadata()["cell"])
        assert cell["dataset"] == "held-out"
        assert frozenset(cell["recipe"]["ingredients"]) in candidates


def greedy_candidates(study: Workflow) -> set[frozenset[str]]:
    """The soups, as sets of ingredients, that the greedy method tried, in any config so far."""
    candidates = set()
    for path in (study.results / "recipes").glob("greedy-*.json"):
        recipe = json.loads(path.read_text())
        members: list[str] = []
        for step in recipe["trace"]:
            tried = [*members, recipe["ingredient_names"][step["candidate"]]]
            candidates.add(frozenset(tried))
            members = tried if step["accepted"] else members
    return candidates
