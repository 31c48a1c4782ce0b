"""Task arithmetic is its formula."""

from tests.support.merge_methods import (
    SHAPES,
    all_close,
    recipe_and_tensors,
    updates_of,
)


def test_task_arithmetic_is_its_formula(random_models):
    _, found = recipe_and_tensors(random_models, "task-arithmetic", scale=0.3)
    expected = {
        n: random_models["start"][n]
        + 0.3 * sum(update[n] for update in updates_of(random_models))
        for n in SHAPES
    }
    assert all_close(found, expected)


def test_task_arithmetic_at_one_over_k_is_the_uniform_soup(random_models):
    _, found = recipe_and_tensors(random_models, "task-arithmetic", scale=0.25)
    _, soup = recipe_and_tensors(random_models, "uniform")
    assert all_close(found, soup)
