"""What a plan says of prompts and class names, before any head is made."""

import time

import pytest

from stockpot.config.zero_shot_head import read_head
from stockpot.models.tokens import Tokens
from stockpot.planning import build_plan as planning
from stockpot.planning.pretrained import model_plan
from stockpot.planning.prompt_notes import prompt_notes
from stockpot.runtime.errors import StockpotError
from tests.support.paths import ARCHITECTURE, ROOT

TEXTS = [
    "a photo of a red ball.",
    "Golden_Retriever's toy &amp; 12 things!",
    "ein Käfer",
    "北京",
    "it's 3.5mm (wide), isn't it?",
    "",
    "  spaces   between ",
    "supercalifragilisticexpialidocious",
]


@pytest.mark.parametrize("vocabulary", [None, ARCHITECTURE / "bpe.txt.gz"])
def test_tokens_are_those_of_open_clip(vocabulary):
    from stockpot.models.third_party import open_clip

    given = {"bpe_path": str(vocabulary)} if vocabulary else {}
    theirs, ours = open_clip.tokenizer.SimpleTokenizer(**given), Tokens(vocabulary)
    for text in TEXTS:
        expected = [theirs.decoder[number] for number in theirs.encode(text)]
        assert ours.pieces(text) == expected, text


@pytest.fixture
def embedded_model(config):
    """The embedded model, which reads 20 tokens."""
    return model_plan(config, lambda path: ROOT / path)


def head_entry(prompts=("a photo of a {}.",), texts=(), **more):
    return {
        "prompts": list(prompts),
        "texts": dict(texts),
        "key": "head.class_names",
        **more,
    }


def named_texts(*names) -> dict:
    return {name: name.replace("_", " ") for name in names}


def many_texts(count=300) -> dict:
    return {f"class {i}": f"thing {i}" for i in range(count)}


def test_there_is_nothing_to_say_of_ordinary_names(embedded_model):
    assert (
        prompt_notes(
            embedded_model, head_entry(), named_texts("red_ball", "key", "7 stones")
        )
        == []
    )


def test_texts_longer_than_the_context_are_told_with_their_tokens(embedded_model):
    long = "red ball and " * 6
    texts = named_texts("key", "cup") | {"long": f"{long} key"}
    (note,) = prompt_notes(embedded_model, head_entry(), texts)
    count = (
        len(Tokens(ARCHITECTURE / "bpe.txt.gz").pieces(f"a photo of a {long} key.")) + 2
    )
    assert note == (
        "head.class_names: with the prompts 1 of 3 classes have more tokens than the 20 that the "
        f"model reads, and are cut: long ({count})"
    )


def test_texts_that_are_cut_before_they_differ_are_refused(embedded_model):
    texts = {name: f"{'red ball and ' * 6} {name}" for name in ("key", "cup", "disc")}
    with pytest.raises(
        StockpotError, match="cut to the 20 tokens that the model reads .* say the same"
    ) as error:
        prompt_notes(embedded_model, head_entry(), texts)
    assert "key = cup = disc" in str(error.value)
    assert len(str(error.value)) <= 500


def test_texts_that_fit_exactly_are_not_cut(embedded_model):
    tokens = Tokens(ARCHITECTURE / "bpe.txt.gz")
    text = "a"
    while len(tokens.pieces(f"a photo of a {text} a.")) + 2 <= 20:
        text += " a"
    assert (
        prompt_notes(embedded_model, head_entry(), named_texts("key") | {"x": text})
        == []
    )
    (note,) = prompt_notes(
        embedded_model, head_entry(), named_texts("key") | {"x": f"{text} a"}
    )
    assert "x (21)" in note


@pytest.mark.parametrize(
    "texts", [("thing",) * 3, ("Thing", "thing ", "THING"), ("a  b", "a b")]
)
def test_classes_of_one_text_are_refused_with_their_names(embedded_model, texts):
    given = {f"class {i}": text for i, text in enumerate(texts)}
    with pytest.raises(
        StockpotError, match=r"^head\.class_names: the prompts say the same for"
    ) as error:
        prompt_notes(embedded_model, head_entry(), given)
    assert " = ".join(given) in str(error.value)
    assert "only the first" in str(error.value)


def test_a_pair_of_hundreds_is_told_as_published_lists_have_some(embedded_model):
    texts = many_texts() | {"maillot": "swimsuit", "tank suit": "swimsuit"}
    (note,) = prompt_notes(embedded_model, head_entry(), texts)
    assert "maillot = tank suit" in note
    assert "the zero-shot model can answer only the first" in note


def test_numbers_and_ids_as_names_are_told(embedded_model):
    (note,) = prompt_notes(embedded_model, head_entry(), named_texts("0", "1", "2"))
    assert "3 of 3 classes are numbers, so prompts say 'a photo of a 0.'" in note
    (note,) = prompt_notes(
        embedded_model, head_entry(), named_texts("n02099601", "n02099712", "cat")
    )
    assert "2 of 3 classes are ids of WordNet" in note
    assert "n02099601" in note
    assert prompt_notes(embedded_model, head_entry(), named_texts("7", "up")) == []


def test_what_a_file_of_names_leaves_out_and_says_twice_is_told(
    embedded_model, tmp_path
):
    (tmp_path / "prompts.txt").write_text("a photo of a {}.\n")
    (tmp_path / "names.csv").write_text("class,name\na,red ball\nb,key\na,cup\nb,key\n")
    given = {"prompts": "prompts.txt", "class_names": "names.csv"}
    found = read_head("head", given, lambda path: tmp_path / path)
    notes = prompt_notes(embedded_model, found, {"a": "cup", "b": "key", "c": "c"})
    assert notes == [
        "head.class_names: leaves out 1 of 3 classes; the names of these classes are used "
        "instead: c",
        "head.class_names: names some classes twice, and the last text counts: a (line 4)",
    ]


def test_the_plan_has_the_notes(config, tmp_path):
    names = planning.build(config, lambda path: ROOT / path)
    assert not [line for line in names.summary if line.startswith("head.class_names")]
    (study,) = names.studies.values()
    classes = names.zero_shots[study.zero_shot].spec["classes"]
    rows = "".join(f"{name},{name} thing\n" for name in classes[1:])
    (tmp_path / "names.csv").write_text(f"class,name\n{rows}")
    config["head"]["class_names"] = str(tmp_path / "names.csv")
    plan = planning.build(config, lambda path: ROOT / path)
    (note,) = [line for line in plan.summary if line.startswith("head.class_names")]
    assert f"leaves out 1 of {len(classes)} classes" in note
    assert classes[0] in note


@pytest.mark.slow
def test_twenty_thousand_classes_and_eighty_prompts_take_a_moment(embedded_model):
    words = "things that are described in some more words than a model reads"
    texts = {f"n{i}": f"{i} {words}" for i in range(20_000)}
    prompts = [f"a photo number {i} of a {{}}." for i in range(80)]
    began = time.process_time()
    notes = prompt_notes(embedded_model, head_entry(prompts), texts)
    assert time.process_time() - began < 20, (
        "seconds of a processor; the square of it takes hours"
    )
    assert "20,000 of 20,000 classes" in notes[0]
