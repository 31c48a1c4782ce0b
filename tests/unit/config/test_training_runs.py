"""Runs of a study: those that it names, and those that its search draws."""

from stockpot.config.training_runs import draw


def test_search_points_differ_and_keep_to_their_space():
    space = {
        "lr": {"log_uniform": [1.0e-5, 1.0e-1]},
        "min_crop_area": {"uniform": [0.5, 0.9]},
        "epochs": {"integers": [2, 4]},
        "label_smoothing": {"choice": [0.0, 0.1]},
    }
    points = [draw({"seed": 3, "space": space}, i) for i in range(300)]
    assert all(set(point) == set(space) for point in points)
    assert all(
        1.0e-5 <= p["lr"] <= 1.0e-1 and 0.5 <= p["min_crop_area"] <= 0.9 for p in points
    )
    assert {p["epochs"] for p in points} == {2, 3, 4}
    assert {p["label_smoothing"] for p in points} == {0.0, 0.1}
    assert len({p["lr"] for p in points}) > 250
    per_decade = [
        sum(10.0**-e <= p["lr"] < 10.0 ** (1 - e) for p in points) for e in (5, 4, 3, 2)
    ]
    assert min(per_decade) > 40, "log-uniform: 75 expected in each"
    shuffled = {"space": dict(reversed(space.items())), "seed": 3}
    assert [draw(shuffled, i) for i in range(300)] == points
    assert [draw({"seed": 4, "space": space}, i) for i in range(300)] != points
