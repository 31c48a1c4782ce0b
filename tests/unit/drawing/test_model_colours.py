"""Looks of models: all differ, and a new merge method gets one of its own."""

import pytest

from stockpot.drawing import model_colours

pytestmark = pytest.mark.slow


def test_unknown_kinds_have_looks_of_their_own():
    looks = model_colours.looks(["zero-shot", "slerp", "ties"])
    assert looks["slerp"].label == "Slerp"
    assert looks["slerp"] != looks["ties"]


def test_all_looks_differ():
    from stockpot.merging import methods
    from stockpot.training import variants

    kinds = ["zero-shot", *variants.names(), *methods.names()]
    known = model_colours.looks(kinds)
    assert set(model_colours.LOOKS) == set(kinds)
    assert len({(look.marker, look.colour) for look in known.values()}) == len(kinds)
    assert len({look.label for look in known.values()}) == len(kinds)


def test_soups_have_one_colour_and_ensembles_another():
    from stockpot.merging import methods

    for method in set(methods.names()) - {"wise-ft"}:
        family = "ENSEMBLE" if methods.mixes(method) == "outputs" else "SOUP"
        assert model_colours.look(method).colour == getattr(model_colours, family)


@pytest.mark.parametrize("new", ["adamerge", "breadcrumbs", "zip"])
def test_a_new_method_has_a_look_and_changes_no_other(new, monkeypatch):
    """Neither by its name nor by its place among the others."""
    from stockpot.merging import methods

    before = model_colours.looks([*methods.names(), "new-rule"])
    names = sorted([*methods.names(), new])
    monkeypatch.setattr(methods, "names", lambda: names)
    monkeypatch.setattr(methods, "mixes", lambda name: "recipes")
    after = model_colours.looks([*names, "new-rule"])
    look = after.pop(new)
    assert after == before
    assert look.colour == model_colours.SOUP
    assert look.label == new.capitalize()
    assert (look.marker, look.colour) not in {
        (old.marker, old.colour) for old in before.values()
    }
    listed = {look.marker for look in model_colours.LOOKS.values()}
    assert not listed & set(model_colours.SPARE_MARKERS)
