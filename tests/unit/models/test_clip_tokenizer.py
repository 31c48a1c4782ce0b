"""The tokenizer of a CLIP model that comes from a hub."""

import sys

import pytest

from stockpot.models.clip import tokenizer
from stockpot.models.third_party import open_clip
from stockpot.runtime.errors import StockpotError
from tests.support.third_party_checkpoints import hub_folder

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_a_tokenizer_of_a_hub_is_asked_for_by_its_name(tmp_path, monkeypatch):
    """The folder of an imported model has none of its files."""
    asked = []

    def made(source, **options):
        asked.append((source, options["context_length"], options["clean"]))

    monkeypatch.setattr(open_clip.tokenizer, "HFTokenizer", made)
    monkeypatch.setattr(open_clip.factory, "HFTokenizer", made)
    folder = hub_folder(tmp_path / "a", tokenizer_kwargs={"clean": "canonicalize"})
    tokenizer(folder)
    (folder / "tokenizer.json").write_text("{}")
    tokenizer(folder)
    assert asked == [("hub/words", 7, "canonicalize"), (folder, 7, "canonicalize")]


def test_a_tokenizer_that_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        StockpotError, match=r"^model\.architecture: the tokenizer hub/words can"
    ):
        tokenizer(hub_folder(tmp_path / "a"))
