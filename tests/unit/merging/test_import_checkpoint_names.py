"""The classes and the names of tensors of a checkpoint from elsewhere."""

from dataclasses import replace

import pytest
import torch

from stockpot.models.checkpoints.convert import as_classifier
from stockpot.models.classifier import write_classifier
from stockpot.runtime.errors import StockpotError
from tests.support.adopted_checkpoints import (
    CLASSES,
    OWN,
    adopt,
    answers_in,
    answers_of,
    edited_state,
    start_card,
)

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.mark.parametrize("way", ["own export", "list", "index"])
def test_a_file_in_another_order_of_classes_answers_as_it_did(
    tuned_soup, tiny_start, tmp_path, way
):
    order = [3, 0, 4, 1, 2]
    names = [CLASSES[i] for i in order]
    state, path = edited_state(tuned_soup), tmp_path / "file.pt"
    for part in ("weight", "bias"):
        state[f"{OWN}.{part}"] = state[f"{OWN}.{part}"][order]
    if way == "own export":
        card = replace(start_card(), class_names=names)
        write_classifier(tmp_path / "theirs", card, as_classifier(state, path))
        path = tmp_path / "theirs" / "classifier.safetensors"
    elif way == "list":
        torch.save({"state_dict": state, "classes": names}, path)
    else:
        index = {name: i for i, name in enumerate(names)}
        torch.save({"state_dict": state, "class_to_idx": index}, path)
    adopt(path, tiny_start, tmp_path / "mine")
    assert (answers_in(tmp_path / "mine") - answers_of(tuned_soup)).abs().max() < 1e-6


def test_a_file_of_other_classes_is_refused_with_their_names(
    tuned_soup, tiny_start, tmp_path
):
    names = [*CLASSES[:4], "cow"]
    torch.save(
        {"state_dict": tuned_soup.state_dict(), "classes": names}, tmp_path / "file.pt"
    )
    with pytest.raises(
        StockpotError, match="has cow where the study has class 4"
    ) as error:
        adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    assert "\n" not in str(error.value)


def test_lists_of_one_file_that_differ_are_refused(tuned_soup, tiny_start, tmp_path):
    state, path = tuned_soup.state_dict(), tmp_path / "file.pt"
    swapped = {name: len(CLASSES) - 1 - i for i, name in enumerate(CLASSES)}
    torch.save({"state_dict": state, "classes": CLASSES, "class_to_idx": swapped}, path)
    with pytest.raises(
        StockpotError, match="lists of classes classes and class_to_idx have dif"
    ):
        adopt(path, tiny_start, tmp_path / "mine")
    # A list of another length is none of the head's rows.
    torch.save({"state_dict": state, "classes": CLASSES, "labels": ["x", "y"]}, path)
    adopt(path, tiny_start, tmp_path / "mine")
    assert (answers_in(tmp_path / "mine") - answers_of(tuned_soup)).abs().max() < 1e-6


def test_a_list_in_other_words_may_be_ignored(tuned_soup, tiny_start, tmp_path):
    names = [f"n0{i}" for i in range(len(CLASSES))]
    torch.save(
        {"state_dict": tuned_soup.state_dict(), "classes": names}, tmp_path / "file.pt"
    )
    with pytest.raises(
        StockpotError, match="or class_list: ignore of the checkpoint if"
    ):
        adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine", class_list="ignore")
    assert (answers_in(tmp_path / "mine") - answers_of(tuned_soup)).abs().max() < 1e-6


def test_prefix_rename_and_ignore_say_which_tensors_are_meant(
    tuned_soup, tiny_start, tmp_path, caplog
):
    theirs = {}
    for name, tensor in tuned_soup.state_dict().items():
        name = name.replace("model.visual.", "backbone.").replace(f"{OWN}.", "fc.")
        if not name.startswith("model."):
            theirs[f"net.{name}"] = tensor
            theirs[f"ema.{name}"] = tensor + 1
    theirs["net.criterion.scale"] = torch.ones(3)
    theirs["net.backbone.extra.weight"] = torch.ones(3)
    torch.save({"weights": theirs}, tmp_path / "file.pt")
    given = {
        "prefix": "weights.net.",
        "rename": {"backbone.": "visual.", "fc.": "head."},
        "ignore": ["criterion.", "backbone.extra."],
    }
    adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine", **given)
    assert (answers_in(tmp_path / "mine") - answers_of(tuned_soup)).abs().max() < 1e-6
    for wrong, said in (
        (
            {"prefix": "model."},
            "prefix 'model.' is the beginning of no name in it; there are 'wei",
        ),
        (
            {"rename": {"stem.": "visual."}},
            "rename 'stem.' is the beginning of no name",
        ),
        ({"ignore": ["loss."]}, "ignore 'loss.' is the beginning of no name"),
        (
            {"rename": {"backbone.": "visual.", "fc.weight": "x", "fc.bias": "x"}},
            "two tensors",
        ),
        (
            {"prefix": "", "rename": {}, "ignore": []},
            "no image tower .* prefix, rename and ignore",
        ),
    ):
        with pytest.raises(StockpotError, match=said) as error:
            adopt(
                tmp_path / "file.pt", tiny_start, tmp_path / "other", **(given | wrong)
            )
        assert "\n" not in str(error.value)
        assert len(str(error.value)) <= 500


def test_prefix_takes_one_of_several_models(
    tuned_soup, tuned_classifier, tiny_start, tmp_path
):
    both = {
        "model": tuned_soup.state_dict(),
        "model_ema": tuned_classifier.state_dict(),
    }
    torch.save(both, tmp_path / "file.pt")
    with pytest.raises(
        StockpotError, match="prefix of the checkpoint names the one to take"
    ):
        adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine", prefix="model.")
    assert (answers_in(tmp_path / "mine") - answers_of(tuned_soup)).abs().max() < 1e-6


def test_a_head_outside_of_the_model_is_not_left_out_unseen(
    tuned_soup, tiny_start, tmp_path
):
    state = edited_state(tuned_soup)
    head = state.pop(f"{OWN}.weight")
    state.pop(f"{OWN}.bias")
    for name in ("fc", "linear_probe", "classifier"):
        torch.save(
            {"state_dict": state, "other": {f"{name}.weight": head}},
            tmp_path / "file.pt",
        )
        with pytest.raises(
            StockpotError, match=rf"other\.{name}\.weight' belong to neither"
        ):
            adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")


def test_a_missing_bias_and_what_is_left_alone_are_told(
    tuned_soup, tiny_start, tmp_path, caplog
):
    state = {
        n: t
        for n, t in tuned_soup.state_dict().items()
        if n != "classification_head.bias"
    }
    torch.save({"model": state, "rng": torch.get_rng_state()}, tmp_path / "file.pt")
    caplog.set_level("INFO")
    adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    assert "its head has no bias; it counts as zero" in caplog.text
    assert "not read, because it is no part of the model: 'rng'" in caplog.text
