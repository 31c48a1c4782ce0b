"""Tests what the sources of users' own data have in common."""


def test_many_classes_are_counted_in_one_go():
    """Work grows with the labels, not with their square: 50,000 labels of as many names."""
    from stockpot.datasets.sources._own import classes_of, count_labels

    names = [f"class {i}" for i in range(50_000)]
    found = classes_of({}, count_labels(("somewhere", name) for name in names), None)
    assert found.names == sorted(names)
    assert set(found.counts) == {1}
