"""Checkpoints that were trained elsewhere as models of a study."""

import hashlib
import os
import pickle
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from stockpot.config.schema import schema_errors, with_plugin_options
from stockpot.datasets.dataset import read_dataset, write_dataset
from stockpot.evaluation.engine import Engine
from stockpot.evaluation.merge_context import FolderContext
from stockpot.merging import methods
from stockpot.merging.import_checkpoint import import_checkpoint
from stockpot.merging.make_merge import make_soup
from stockpot.merging.recipe import single, uniform
from stockpot.models.card import UNKNOWN_LINEAGE, Card, read_card
from stockpot.models.checkpoints.convert import as_classifier
from stockpot.models.classifier import Weights, write_classifier
from stockpot.models.files import preprocessing
from stockpot.models.load import load_classifier
from stockpot.planning import build_plan as planning
from stockpot.planning.model_descriptions import stated_hyperparameters
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.registry import defaults
from tests.support import third_party_checkpoints as foreign
from tests.support.paths import ROOT

pytestmark = [pytest.mark.process, pytest.mark.slow]

CLASSES = [f"class {i}" for i in range(foreign.CLASSES)]


def start_card() -> Card:
    wanted = preprocessing(foreign.CONFIG)
    return Card(
        name="zero-shot",
        kind="zero-shot",
        class_names=CLASSES,
        normalise=True,
        architecture={"library": "open_clip", "config": foreign.CONFIG},
        image_size=wanted.pop("image_size"),
        **wanted,
    )


def visual_of(model) -> dict:
    return {
        f"visual.{name}": tensor for name, tensor in model.visual.state_dict().items()
    }


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return foreign.CLIP().eval()


@pytest.fixture(scope="module")
def start(clip, tmp_path_factory):
    """The zero-shot Classifier of the small CLIP model."""
    head = {"head.weight": torch.randn(5, 12), "head.bias": torch.zeros(5)}
    folder = tmp_path_factory.mktemp("start")
    write_classifier(folder, start_card(), visual_of(clip) | head)
    return folder


def tuned(source, seed):
    """The model after some steps in a direction of its own."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for tensor in source.parameters():
            tensor += 0.03 * tensor.std(correction=0) * torch.randn_like(tensor)
    return source.eval()


@pytest.fixture(scope="module")
def classifier(clip):
    """wise-ft's, fine-tuned from the CLIP model."""
    found = foreign.ImageClassifier()
    found.image_encoder.model.load_state_dict(clip.state_dict(), strict=False)
    return tuned(found, 1)


@pytest.fixture(scope="module")
def soup(clip):
    """model-soups', fine-tuned from the CLIP model."""
    found = foreign.ModelWrapper()
    found.model.load_state_dict(clip.state_dict(), strict=False)
    return tuned(found, 2)


def save(model, path, way="state"):
    if way == "pickle":
        with foreign.installed(), open(path, "wb") as file:
            pickle.dump(model, file)
    elif way == "module":
        with foreign.installed():
            torch.save(model, path)
    elif way == "parallel":
        torch.save({f"module.{n}": t for n, t in model.state_dict().items()}, path)
    elif way == "run":
        torch.save({"epoch": 1, "state_dict": model.state_dict()}, path)
    elif way == "half":
        torch.save({n: t.half() for n, t in model.state_dict().items()}, path)
    else:
        torch.save(model.state_dict(), path)
    return path


def adopted(path, start, folder, **given) -> Card:
    return import_checkpoint(
        {"name": folder.name, "path": str(path), "variant": "end-to-end", **given},
        start,
        folder,
    )


def images(n=4):
    return torch.randn(
        n, 3, foreign.SIDE, foreign.SIDE, generator=torch.Generator().manual_seed(0)
    )


def answers_of(model) -> torch.Tensor:
    with torch.no_grad():
        return model.classification_head(
            functional.normalize(model.features(images()), dim=-1)
        )


def answers_in(folder) -> torch.Tensor:
    with torch.no_grad():
        return load_classifier(folder)[0](images())


@pytest.mark.parametrize("way", ["pickle", "module", "state"])
def test_a_checkpoint_of_wise_ft_answers_as_it_did(classifier, start, tmp_path, way):
    adopted(
        save(classifier, tmp_path / "checkpoint_10.pt", way), start, tmp_path / "mine"
    )
    assert (answers_in(tmp_path / "mine") - answers_of(classifier)).abs().max() < 1e-6
    assert not torch.allclose(
        answers_in(tmp_path / "mine"), answers_in(start), atol=1e-2
    )


@pytest.mark.parametrize("way", ["state", "parallel", "run"])
def test_a_checkpoint_of_model_soups_answers_as_it_did(soup, start, tmp_path, way):
    adopted(save(soup, tmp_path / "model_0.pt", way), start, tmp_path / "mine")
    assert (answers_in(tmp_path / "mine") - answers_of(soup)).abs().max() < 1e-6


def test_half_precision_is_that_of_the_file(soup, start, tmp_path):
    adopted(save(soup, tmp_path / "half.pt", "half"), start, tmp_path / "mine")
    weights, head = Weights(tmp_path / "mine"), soup.classification_head.weight
    assert torch.equal(weights["head.weight"], head.half().float())
    assert {dtype for _, dtype in weights.shapes().values()} == {"F32"}


def test_the_card_of_what_is_adopted(soup, start, tmp_path):
    """All but the weights is the zero-shot model's; where it started nobody knows.

    What the config says of its training is no part of it: soups would be made anew where that is
    edited.
    """
    settings = {"lr": 1e-5, "augmented": True}
    path = save(soup, tmp_path / "model.pt")
    card = adopted(
        path, start, tmp_path / "mine", variant="linear-classifier", settings=settings
    )
    zero = read_card(start)
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
    assert Weights(tmp_path / "mine").names == Weights(start).names


def test_our_own_weights_come_back_as_the_same_model(start, tmp_path):
    card = adopted(start / "classifier.safetensors", start, tmp_path / "mine")
    assert card.sha256 == read_card(start).sha256


@pytest.mark.parametrize("what", ["encoder", "clip"])
def test_without_a_head_the_zero_shot_head_is_taken(
    clip, classifier, start, tmp_path, caplog, what
):
    """An encoder of wise-ft's, or a whole CLIP model, whose text side is left."""
    if what == "encoder":
        save(classifier.image_encoder, tmp_path / "file.pt", "pickle")
    else:
        torch.save(clip.state_dict(), tmp_path / "file.pt")
    caplog.set_level("INFO")
    card = adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    found, zero = Weights(tmp_path / "mine"), Weights(start)
    assert torch.equal(found["head.weight"], zero["head.weight"])
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("stockpot")]
    assert [line.split(" has no ")[1] for line in lines if " has no " in line] == [
        "head.weight; that of the zero-shot model is taken",
        "head.bias; that of the zero-shot model is taken",
    ]
    assert (card.sha256 == zero.card.sha256) == (what == "clip")


def test_a_head_without_a_bias_has_none(soup, start, tmp_path):
    state = {
        n: t for n, t in soup.state_dict().items() if n != "classification_head.bias"
    }
    torch.save(state, tmp_path / "file.pt")
    adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    found = Weights(tmp_path / "mine")
    assert not found["head.bias"].any()
    assert torch.equal(found["head.weight"], soup.classification_head.weight)


def edited(soup, **changes) -> dict:
    state = {name: tensor.clone() for name, tensor in soup.state_dict().items()}
    for name, tensor in changes.items():
        state.pop(name) if tensor is None else state.update({name: tensor})
    return state


OWN = "classification_head"
VISUAL = "model.visual.transformer.resblocks"
WRONG = {
    "classes": (
        {f"{OWN}.weight": torch.zeros(7, 12), f"{OWN}.bias": torch.zeros(7)},
        r"its head\.weight is \[7, 12\], not \[5, 12\]; the study has 5 classes$",
    ),
    "features": (
        {"classification_head.weight": torch.zeros(5, 13)},
        r"its head\.weight is \[5, 13\], not \[5, 12\]",
    ),
    "a bias of its own": (
        {"classification_head.bias": torch.zeros(6)},
        r"weights \[5, 12\] and a bias \[6\]$",
    ),
    "wider": (
        {"model.visual.proj": torch.zeros(32, 64)},
        r"not of this architecture, visual\.proj is \[32, 64\], not \[32, 12\]$",
    ),
    "fewer layers": (
        {f"{VISUAL}.1.ln_1.weight": None},
        r"not of this architecture, visual\.\S+\.1\.ln_1\.weight is missing$",
    ),
    "more layers": (
        {f"{VISUAL}.2.ln_1.weight": torch.zeros(32)},
        r"not of this architecture, which has no 'visual\.\S+\.2\.ln_1\.weight'$",
    ),
    "something else": (
        {"model.decoder.weight": torch.zeros(3)},
        r"'model\.decoder\.weight' bel",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_model_of_another_kind_is_refused_in_a_line(soup, start, tmp_path, what):
    changes, message = WRONG[what]
    torch.save(edited(soup, **changes), tmp_path / "file.pt")
    with pytest.raises(StockpotError, match=message) as error:
        adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    assert str(error.value).startswith(f"{tmp_path / 'file.pt'}: ")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "mine").exists()


def test_files_that_hold_no_tower_are_refused(soup, start, tmp_path):
    save(soup.classification_head, tmp_path / "head.pt")
    with pytest.raises(StockpotError, match=r"head\.pt: there is no image tower"):
        adopted(tmp_path / "head.pt", start, tmp_path / "mine")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(StockpotError, match=r"text\.pt: not a checkpoint"):
        adopted(tmp_path / "text.pt", start, tmp_path / "mine")
    with pytest.raises(StockpotError, match=r"gone\.pt: cannot be read"):
        adopted(tmp_path / "gone.pt", start, tmp_path / "mine")


@pytest.fixture
def context(start, tmp_path):
    """A function: folders of ingredients, options -> what the workflow's soup would look at."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, foreign.SIDE, foreign.SIDE, 3)).astype(np.uint8)
    write_dataset(tmp_path / "data", "held-out", pixels, np.arange(30) % 5, CLASSES, {})

    def made(*folders, **given):
        spec = {
            "name": "x",
            "method": "uniform",
            **defaults(methods.options("uniform")),
        }
        spec |= {"precision": "fp32", "batch_size": 50, "store_logits": False, **given}
        data = read_dataset(tmp_path / "data")
        return FolderContext(spec, [start, *folders], data, [], tmp_path / "store")

    return made


@pytest.fixture
def folders(classifier, soup, start, tmp_path):
    torch.manual_seed(9)
    stranger = foreign.ModelWrapper()
    made = {}
    for name, model in (("one", classifier), ("two", soup), ("stranger", stranger)):
        made[name] = tmp_path / name
        adopted(save(model, tmp_path / f"{name}.pt"), start, made[name])
    return made


def test_a_soup_of_adopted_models_passes_by_their_weights(
    folders, start, context, caplog
):
    caplog.set_level("INFO")
    ends = [folders["one"], folders["two"]]
    made = make_soup([read_card(folder) for folder in ends], context(*ends))
    assert made["ingredient_names"].keys() == {"one", "two"}
    assert "barriers" not in made
    assert (
        "its initial weights are unknown; its weights are close to those of one"
        in caplog.text
    )
    weights = {read_card(f).sha256: Weights(f) for f in (start, *ends)}
    shas = [read_card(folder).sha256 for folder in ends]
    data = context()._held_out
    mean = Engine(weights, "fp32").logits(uniform(shas), data)
    alone = Engine(weights, "fp32").logits(single(shas[0]), data)
    assert mean.shape == (30, 5)
    assert not torch.allclose(mean, alone, atol=1e-3)


def test_with_the_zero_shot_model_they_are_compared_too(folders, start, context):
    ends = [start, folders["one"]]
    made = make_soup([read_card(folder) for folder in ends], context(folders["one"]))
    assert len(made["ingredients"]) == 2


def test_a_stranger_is_refused_unless_that_is_allowed(folders, context):
    ends = [folders["one"], folders["stranger"]]
    cards = [read_card(folder) for folder in ends]
    with pytest.raises(
        StockpotError,
        match=r"^stranger: its initial weights are unknown, and its weights are "
        r"far from those of one \(cosine -?0\.",
    ) as error:
        make_soup(cards, context(*ends))
    assert "allow_different_lineages: true" in str(error.value)
    made = make_soup(cards, context(*ends, allow_different_lineages=True))
    assert made["barriers"].keys() == {"stranger"}


@pytest.fixture
def served(tmp_path):
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


def test_a_checkpoint_is_fetched_where_the_config_says(soup, start, served, tmp_path):
    remote, address = served
    data = save(soup, remote / "model.pt").read_bytes()
    given = {
        "url": f"{address}/model.pt",
        "checksum": f"sha256:{hashlib.sha256(data).hexdigest()}",
    }
    path = tmp_path / "deep" / "own.pt"
    card = adopted(path, start, tmp_path / "mine", **given)
    assert path.read_bytes() == data
    (remote / "model.pt").unlink()
    assert adopted(path, start, tmp_path / "again", **given).sha256 == card.sha256, (
        "it is kept"
    )


def test_a_checkpoint_with_another_checksum_is_refused(soup, start, served, tmp_path):
    remote, address = served
    save(soup, remote / "model.pt")
    given = {"url": f"{address}/model.pt", "checksum": "sha256:" + "0" * 64}
    with pytest.raises(StockpotError, match="its sha256 is .* was expected"):
        adopted(tmp_path / "own.pt", start, tmp_path / "mine", **given)
    assert not (tmp_path / "own.pt").exists()
    assert not (tmp_path / "mine").exists()
    save(soup, tmp_path / "own.pt")
    with pytest.raises(StockpotError, match=r"own\.pt: the sha256 of this file is"):
        adopted(tmp_path / "own.pt", start, tmp_path / "mine", **given)


def plan_of(config, path, **entry):
    config["checkpoints"] = {"wild": {"path": "wild.pt", **entry}}
    return planning.build(
        config, lambda p: path if p == "wild.pt" else ROOT / p
    ).checkpoints


def test_a_checkpoint_is_known_by_its_content_or_its_address(config, tmp_path):
    path = tmp_path / "wild.pt"
    with pytest.raises(
        StockpotError, match=r"^checkpoints\.wild\.path: cannot read .*wild\.pt"
    ):
        plan_of(config, path)
    remote = {"url": "http://x/y.pt", "checksum": "sha256:" + "1" * 64}
    before = plan_of(config, path, **remote)
    path.write_bytes(b"content")
    assert plan_of(config, path, **remote) == before, "it is fetched, or was"
    assert [entry.files for entry in before.values()] == [()]
    own = plan_of(config, path)
    assert [entry.files for entry in own.values()] == [(str(path),)]
    assert (
        len({*own, *before, *plan_of(config, path, variant="linear-classifier")}) == 3
    )
    assert list(plan_of(config, path, hyperparameters={"lr": 1})) == list(own), (
        "these change no weights"
    )
    path.write_bytes(b"another")
    assert not own.keys() & plan_of(config, path).keys()


COPIED = {
    "variant": "from-scratch",
    "task": "objects",
    "init_from": "linear",
    "second_dataset": "sketch",
    "shots": 4,
    "name": "other",
    "seed": 1,
    "kind": "zero-shot",
    "towers_only": True,
    "epochs": 10,
    "lr": 1e-5,
}


def test_hyperparameters_of_a_checkpoint_never_change_what_it_is(config, tmp_path):
    """A copied list of hyperparameters has the words of a run in it."""
    path = tmp_path / "wild.pt"
    path.write_bytes(b"content")
    config["checkpoints"] = {"wild": {"path": "wild.pt"}}
    plans = []
    for settings in ({}, COPIED):
        config["checkpoints"]["wild"]["hyperparameters"] = settings
        plans.append(
            planning.build(config, lambda p: path if p == "wild.pt" else ROOT / p)
        )
    for plan in plans:
        (study,) = plan.studies.values()
        model = study.models["wild"]
        settings = model.pop("settings")
        assert model["kind"] == "end-to-end"
        assert model["images"] == 0
        assert model["own"]
        meant = (
            "variant",
            "task",
            "init_from",
            "second_dataset",
            "shots",
            "towers_only",
        )
        assert not set(meant) & set(settings)
        (members,) = [
            job.spec["members"]
            for job in plan.evaluations.values()
            if any(member["name"] == "wild" for member in job.spec["members"])
        ]
        assert [member["kind"] for member in members if member["name"] == "wild"] == [
            "end-to-end"
        ]
    assert plans[0].evaluations == plans[1].evaluations
    assert plans[0].soups == plans[1].soups
    assert plans[0].checkpoints == plans[1].checkpoints, "its job is the same"
    assert settings["lr"] == 1e-5
    assert settings["epochs"] == 10
    assert settings["stated_task"] == "objects"
    assert settings["stated_shots"] == 4


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"betas": [0.9, 0.98]}, {"betas": "[0.9, 0.98]"}),
        ({"shots": "many"}, {"stated_shots": "many"}),
        ({"second_dataset": "x"}, {"stated_second_dataset": "x"}),
        ({"epochs": "many"}, {"epochs": "many"}),
        ({1: 2}, {"1": 2}),
        ({"lr": float("nan")}, {"lr": "NaN"}),
    ],
)
def test_odd_hyperparameters_are_text(given, shown):
    assert stated_hyperparameters(given) == shown


def test_odd_hyperparameters_pass_the_schema_or_get_a_line(config, schema, tmp_path):
    config["checkpoints"] = {
        "wild": {"path": "x", "hyperparameters": {"betas": [0.9, 0.98], "a": "b"}}
    }
    assert schema_errors(config, with_plugin_options(schema)) == []
    for wrong, said in (
        ({1: 2}, "1 is not of type string"),
        ({"a": {"b": 1}}, "is not of type n"),
    ):
        config["checkpoints"]["wild"]["hyperparameters"] = wrong
        (line,) = schema_errors(config, with_plugin_options(schema))
        assert line.startswith("checkpoints.wild.hyperparameters")
        assert said in line


FLOAT = "model.visual.proj"


def spoilt(soup, name, change) -> dict:
    state = edited(soup)
    state[name] = change(state[name])
    return state


def with_value(value):
    def change(tensor):
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return change


SPOILT = {
    "NaN": (
        FLOAT,
        with_value(float("nan")),
        "'visual.proj' has numbers that are not finite",
    ),
    "infinity": (
        FLOAT,
        with_value(float("-inf")),
        "'visual.proj' has numbers that are not fin",
    ),
    "NaN in a bias": (
        f"{OWN}.bias",
        with_value(float("nan")),
        "'head.bias' has numbers that",
    ),
    "NaN in half": (
        FLOAT,
        lambda t: with_value(float("nan"))(t).half(),
        "are not finite",
    ),
    "overflow of float32": (
        FLOAT,
        lambda t: with_value(1e300)(t.double()),
        "1e\\+300, which",
    ),
    "overflow of bfloat16": (
        FLOAT,
        with_value(3.4e38),
        "3.4e\\+38, which float32 and bfloat16",
    ),
    "int64": (
        FLOAT,
        lambda t: t.long(),
        "'visual.proj' holds int64, where the model has float",
    ),
    "int8": (FLOAT, lambda t: t.to(torch.int8), "'visual.proj' holds int8"),
    "uint8": (FLOAT, lambda t: t.to(torch.uint8), "'visual.proj' holds uint8"),
    "bool": (FLOAT, lambda t: t > 0, "'visual.proj' holds bool"),
    "complex": (
        FLOAT,
        lambda t: t.to(torch.complex64),
        "'visual.proj' holds complex64",
    ),
    "float8": (
        FLOAT,
        lambda t: t.to(torch.float8_e4m3fn),
        "'visual.proj' holds float8_e4m3fn",
    ),
    "float8 of another kind": (
        FLOAT,
        lambda t: t.to(torch.float8_e5m2),
        "holds float8_e5m2",
    ),
    "whole numbers in a head": (
        f"{OWN}.weight",
        lambda t: t.int(),
        "'head.weight' holds int32",
    ),
}


@pytest.mark.parametrize("way", ["torch", "safetensors"])
@pytest.mark.parametrize("what", SPOILT)
def test_numbers_that_are_no_weights_are_refused_by_name(
    soup, start, tmp_path, what, way
):
    name, change, message = SPOILT[what]
    state, path = spoilt(soup, name, change), tmp_path / "file.pt"
    torch.save(state, path) if way == "torch" else save_file(state, path)
    with pytest.raises(StockpotError, match=rf"^{path}: .*{message}") as error:
        adopted(path, start, tmp_path / "mine")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 500
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("way", ["own export", "list", "index"])
def test_a_file_in_another_order_of_classes_answers_as_it_did(
    soup, start, tmp_path, way
):
    order = [3, 0, 4, 1, 2]
    names = [CLASSES[i] for i in order]
    state, path = edited(soup), tmp_path / "file.pt"
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
    adopted(path, start, tmp_path / "mine")
    assert (answers_in(tmp_path / "mine") - answers_of(soup)).abs().max() < 1e-6


def test_a_file_of_other_classes_is_refused_with_their_names(soup, start, tmp_path):
    names = [*CLASSES[:4], "cow"]
    torch.save(
        {"state_dict": soup.state_dict(), "classes": names}, tmp_path / "file.pt"
    )
    with pytest.raises(
        StockpotError, match="has cow where the study has class 4"
    ) as error:
        adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    assert "\n" not in str(error.value)


def test_lists_of_one_file_that_differ_are_refused(soup, start, tmp_path):
    state, path = soup.state_dict(), tmp_path / "file.pt"
    swapped = {name: len(CLASSES) - 1 - i for i, name in enumerate(CLASSES)}
    torch.save({"state_dict": state, "classes": CLASSES, "class_to_idx": swapped}, path)
    with pytest.raises(
        StockpotError, match="lists of classes classes and class_to_idx have dif"
    ):
        adopted(path, start, tmp_path / "mine")
    # A list of another length is none of the head's rows.
    torch.save({"state_dict": state, "classes": CLASSES, "labels": ["x", "y"]}, path)
    adopted(path, start, tmp_path / "mine")
    assert (answers_in(tmp_path / "mine") - answers_of(soup)).abs().max() < 1e-6


def test_a_list_in_other_words_may_be_ignored(soup, start, tmp_path):
    names = [f"n0{i}" for i in range(len(CLASSES))]
    torch.save(
        {"state_dict": soup.state_dict(), "classes": names}, tmp_path / "file.pt"
    )
    with pytest.raises(
        StockpotError, match="or class_list: ignore of the checkpoint if"
    ):
        adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    adopted(tmp_path / "file.pt", start, tmp_path / "mine", class_list="ignore")
    assert (answers_in(tmp_path / "mine") - answers_of(soup)).abs().max() < 1e-6


def test_prefix_rename_and_ignore_say_which_tensors_are_meant(
    soup, start, tmp_path, caplog
):
    theirs = {}
    for name, tensor in soup.state_dict().items():
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
    adopted(tmp_path / "file.pt", start, tmp_path / "mine", **given)
    assert (answers_in(tmp_path / "mine") - answers_of(soup)).abs().max() < 1e-6
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
            adopted(tmp_path / "file.pt", start, tmp_path / "other", **(given | wrong))
        assert "\n" not in str(error.value)
        assert len(str(error.value)) <= 500


def test_prefix_takes_one_of_several_models(soup, classifier, start, tmp_path):
    both = {"model": soup.state_dict(), "model_ema": classifier.state_dict()}
    torch.save(both, tmp_path / "file.pt")
    with pytest.raises(
        StockpotError, match="prefix of the checkpoint names the one to take"
    ):
        adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    adopted(tmp_path / "file.pt", start, tmp_path / "mine", prefix="model.")
    assert (answers_in(tmp_path / "mine") - answers_of(soup)).abs().max() < 1e-6


def test_a_head_outside_of_the_model_is_not_left_out_unseen(soup, start, tmp_path):
    state = edited(soup)
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
            adopted(tmp_path / "file.pt", start, tmp_path / "mine")


def test_a_missing_bias_and_what_is_left_alone_are_told(soup, start, tmp_path, caplog):
    state = {
        n: t for n, t in soup.state_dict().items() if n != "classification_head.bias"
    }
    torch.save({"model": state, "rng": torch.get_rng_state()}, tmp_path / "file.pt")
    caplog.set_level("INFO")
    adopted(tmp_path / "file.pt", start, tmp_path / "mine")
    assert "its head has no bias; it counts as zero" in caplog.text
    assert "not read, because it is no part of the model: 'rng'" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull fetches",
        ),
        (b"<html><body>Sign in</body></html>", "a page of a website"),
    ],
)
def test_what_stands_in_for_a_checkpoint_is_named_at_planning(
    config, tmp_path, content, said
):
    (tmp_path / "wild.pt").write_bytes(content)
    with pytest.raises(StockpotError, match=rf"^checkpoints\.wild\.path: .*{said}"):
        plan_of(config, tmp_path / "wild.pt")
    config["model"] |= {"weights": "wild.pt"}
    with pytest.raises(StockpotError, match=rf"^model\.weights: .*{said}"):
        planning.build(config, lambda p: tmp_path / p if p == "wild.pt" else ROOT / p)


def test_a_pipe_in_place_of_a_checkpoint_is_named_at_planning(config, tmp_path):
    os.mkfifo(tmp_path / "wild.pt")
    with pytest.raises(
        StockpotError, match=r"^checkpoints\.wild\.path: .*it is a pipe"
    ):
        plan_of(config, tmp_path / "wild.pt")


def test_names_of_tensors_are_part_of_what_a_checkpoint_is(config, schema, tmp_path):
    (tmp_path / "wild.pt").write_bytes(b"content")
    before = plan_of(config, tmp_path / "wild.pt")
    given = {"prefix": "ema.", "rename": {"fc.": "head."}, "ignore": ["loss."]}
    given["class_list"] = "ignore"
    after = plan_of(config, tmp_path / "wild.pt", **given)
    assert schema_errors(config, with_plugin_options(schema)) == []
    assert not before.keys() & after.keys()
    (entry,) = after.values()
    assert given.items() <= entry.spec.items()
