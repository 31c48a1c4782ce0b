"""A checkpoint that was trained elsewhere answers as its source."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from stockpot.models.card import UNKNOWN_LINEAGE, read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.errors import StockpotError
from tests.support.adopted_checkpoints import (
    adopt,
    answers_in,
    answers_of,
    save_checkpoint,
)

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.mark.parametrize("way", ["pickle", "module", "state"])
def test_a_checkpoint_of_wise_ft_answers_as_it_did(
    tuned_classifier, tiny_start, tmp_path, way
):
    adopt(
        save_checkpoint(tuned_classifier, tmp_path / "checkpoint_10.pt", way),
        tiny_start,
        tmp_path / "mine",
    )
    assert (
        answers_in(tmp_path / "mine") - answers_of(tuned_classifier)
    ).abs().max() < 1e-6
    assert not torch.allclose(
        answers_in(tmp_path / "mine"), answers_in(tiny_start), atol=1e-2
    )


@pytest.mark.parametrize("way", ["state", "parallel", "run"])
def test_a_checkpoint_of_model_soups_answers_as_it_did(
    tuned_soup, tiny_start, tmp_path, way
):
    adopt(
        save_checkpoint(tuned_soup, tmp_path / "model_0.pt", way),
        tiny_start,
        tmp_path / "mine",
    )
    assert (answers_in(tmp_path / "mine") - answers_of(tuned_soup)).abs().max() < 1e-6


def test_half_precision_is_that_of_the_file(tuned_soup, tiny_start, tmp_path):
    adopt(
        save_checkpoint(tuned_soup, tmp_path / "half.pt", "half"),
        tiny_start,
        tmp_path / "mine",
    )
    weights, head = Weights(tmp_path / "mine"), tuned_soup.classification_head.weight
    assert torch.equal(weights["head.weight"], head.half().float())
    assert {dtype for _, dtype in weights.shapes().values()} == {"F32"}


def test_the_card_of_what_is_adopted(tuned_soup, tiny_start, tmp_path):
    """All but the weights is the zero-shot model's; where it started nobody knows.

    What the config says of its training is no part of it: soups would be made anew where that is
    edited.
    """
    settings = {"lr": 1e-5, "augmented": True}
    path = save_checkpoint(tuned_soup, tmp_path / "model.pt")
    card = adopt(
        path,
        tiny_start,
        tmp_path / "mine",
        variant="linear-classifier",
        settings=settings,
    )
    zero = read_card(tiny_start)
    assert (
        card
        == read_card(tmp_path / "mine")
        == Weights(tmp_path / "mine", verify=True).card
    )
    assert (card.name, card.kind, card.status) == ("mine", "linear-classifier", "ok")
    assert (card.start, card.spec, card.history) == (UNKNOWN_LINEAGE, {}, [])
    for field in (
        "architecture",
        "class_names",
        "mean",
        "std",
        "image_size",
        "interpolation",
    ):
        assert getattr(card, field) == getattr(zero, field), field
    assert card.sha256 != zero.sha256
    assert card.tower_sha256 != zero.tower_sha256
    assert Weights(tmp_path / "mine").names == Weights(tiny_start).names


def test_our_own_weights_come_back_as_the_same_model(tiny_start, tmp_path):
    card = adopt(tiny_start / "classifier.safetensors", tiny_start, tmp_path / "mine")
    assert card.sha256 == read_card(tiny_start).sha256


@pytest.mark.parametrize("what", ["encoder", "clip"])
def test_without_a_head_the_zero_shot_head_is_taken(
    tiny_clip, tuned_classifier, tiny_start, tmp_path, caplog, what
):
    """An encoder of wise-ft's, or a whole CLIP model, whose text side is left."""
    if what == "encoder":
        save_checkpoint(tuned_classifier.image_encoder, tmp_path / "file.pt", "pickle")
    else:
        torch.save(tiny_clip.state_dict(), tmp_path / "file.pt")
    caplog.set_level("INFO")
    card = adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    found, zero = Weights(tmp_path / "mine"), Weights(tiny_start)
    assert torch.equal(found["head.weight"], zero["head.weight"])
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("stockpot")]
    assert [line.split(" has no ")[1] for line in lines if " has no " in line] == [
        "head.weight; that of the zero-shot model is taken",
        "head.bias; that of the zero-shot model is taken",
    ]
    assert (card.sha256 == zero.card.sha256) == (what == "clip")


def test_a_head_without_a_bias_has_none(tuned_soup, tiny_start, tmp_path):
    state = {
        n: t
        for n, t in tuned_soup.state_dict().items()
        if n != "classification_head.bias"
    }
    torch.save(state, tmp_path / "file.pt")
    adopt(tmp_path / "file.pt", tiny_start, tmp_path / "mine")
    found = Weights(tmp_path / "mine")
    assert not found["head.bias"].any()
    assert torch.equal(found["head.weight"], tuned_soup.classification_head.weight)


@pytest.fixture
def served_folder(tmp_path):
    """A folder, and where a server on this machine has it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    folder = tmp_path / "remote"
    folder.mkdir()
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_checkpoint_is_fetched_where_the_config_says(
    tuned_soup, tiny_start, served_folder, tmp_path
):
    remote, address = served_folder
    data = save_checkpoint(tuned_soup, remote / "model.pt").read_bytes()
    given = {
        "url": f"{address}/model.pt",
        "checksum": f"sha256:{hashlib.sha256(data).hexdigest()}",
    }
    path = tmp_path / "deep" / "own.pt"
    card = adopt(path, tiny_start, tmp_path / "mine", **given)
    assert path.read_bytes() == data
    (remote / "model.pt").unlink()
    assert adopt(path, tiny_start, tmp_path / "again", **given).sha256 == card.sha256, (
        "it is kept"
    )


def test_a_checkpoint_with_another_checksum_is_refused(
    tuned_soup, tiny_start, served_folder, tmp_path
):
    remote, address = served_folder
    save_checkpoint(tuned_soup, remote / "model.pt")
    given = {"url": f"{address}/model.pt", "checksum": "sha256:" + "0" * 64}
    with pytest.raises(StockpotError, match="its sha256 is .* was expected"):
        adopt(tmp_path / "own.pt", tiny_start, tmp_path / "mine", **given)
    assert not (tmp_path / "own.pt").exists()
    assert not (tmp_path / "mine").exists()
    save_checkpoint(tuned_soup, tmp_path / "own.pt")
    with pytest.raises(StockpotError, match=r"own\.pt: the sha256 of this file is"):
        adopt(tmp_path / "own.pt", tiny_start, tmp_path / "mine", **given)
