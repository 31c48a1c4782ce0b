"""What prompts and class names of a study will not do: lines for the plan, before any head is made.

A text longer than the model's context is cut, and classes with one text have one row in the head,
of which the first is always answered. Published lists have a few of those (iWildCam 4 of 182), so a
few are told; more than one class in twenty is a mistake and refused.
"""

import re
from collections import defaultdict
from functools import cached_property
from pathlib import Path

from ..models.tokens import Tokens
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .model_jobs import ModelJob

CONTEXT = 77  # of CLIP, where the config says nothing
MARKS = 2  # tokens at a text's beginning and end
MOST_UNANSWERED = 0.05  # of the classes
SHOWN = 5
WORDNET = re.compile(r"[nvars]\d{8}\Z")


def prompt_notes(model: ModelJob, head: dict, texts: dict[str, str]) -> list[str]:
    """Lines on the prompts of one task.

    Args:
        model: Of the plan: its architecture and files.
        head: As ``prompts.read_head`` gives it.
        texts: Class -> what stands in the prompts for it.

    Returns:
        A line per fault; none where there is nothing to say.

    Raises:
        StockpotError: So many classes share a text that they could never be answered.
    """
    key = head["key"]
    text_cfg = model.architecture["model_cfg"]["text_cfg"]
    options = text_cfg.get("tokenizer_kwargs") or {}
    is_own = not (text_cfg.get("hf_tokenizer_name") or text_cfg.get("hf_model_name"))
    vocabulary = model.files.get("vocabulary")
    clean = options.get("clean") or "lower"
    # A tokenizer of a hub is not here; its words are about those of CLIP, letters as they are.
    tokens = Tokens(
        Path(vocabulary) if vocabulary else None, clean if is_own else "whitespace"
    )
    notes = _on_file(key, head, texts)
    notes += _on_names(key, head, texts)
    room = _Room(tokens, head["prompts"], text_cfg.get("context_length") or CONTEXT)
    cut = {
        name: room.needed(text) for name, text in texts.items() if not room.has(text)
    }
    if cut:
        context = f"{room.context}" if is_own else f"about {room.context}"
        notes.append(_on_cut(key, cut, texts, context))
    same = _same(tokens, room, texts, cut)
    if same:
        notes.append(_on_same(key, same, texts, cut, room.context))
    return notes


def _on_cut(key: str, cut: dict[str, int], texts: dict[str, str], context: str) -> str:
    """The line on texts that are longer than the context; cut: class -> tokens that it needs."""
    first = list(cut.items())[:SHOWN]
    shown = [f"{one_line(name, 40)} ({count})" for name, count in first]
    return (
        f"{key}: with the prompts {_count(len(cut), texts)} have more tokens than the {context} "
        f"that the model reads, and are cut: {_listed(shown, len(cut))}"
    )


class _Room:
    """How many tokens the prompts leave for a class's text."""

    def __init__(self, tokens: Tokens, prompts: list[str], context: int):
        self.context = context
        self._tokens = tokens
        self._prompts = prompts
        # No text has more tokens than bytes, which are counted faster.
        self._most = (
            max(len(prompt.encode("utf-8", "replace")) for prompt in prompts) + MARKS
        )

    @cached_property
    def _longest(self) -> int:
        """Tokens of the longest prompt without a class."""
        sizes = [
            len(self._tokens.pieces(prompt.replace("{}", " ")))
            for prompt in self._prompts
        ]
        return max(sizes) + MARKS

    @cached_property
    def seen(self) -> int:
        """Tokens that are read of a long text, by the prompt in which it begins soonest."""
        starts = [
            len(self._tokens.pieces(prompt.partition("{}")[0]))
            for prompt in self._prompts
        ]
        return self.context - MARKS - min(starts)

    def has(self, text: str) -> bool:
        """Is the text read whole in every prompt?"""
        most = self._most + len(text.encode("utf-8", "replace"))
        return most <= self.context or self.needed(text) <= self.context

    def needed(self, text: str) -> int:
        """Tokens of the longest prompt with this text."""
        return self._longest + len(self._tokens.pieces(text))


def _same(
    tokens: Tokens, room: _Room, texts: dict[str, str], cut: dict[str, int]
) -> list[list[str]]:
    """Classes that the model cannot tell apart by their prompts, in groups."""
    groups = defaultdict(list)
    for name, text in texts.items():
        is_cut = name in cut
        seen = (
            tuple(tokens.pieces(text)[: room.seen]) if is_cut else tokens.cleaned(text)
        )
        groups[seen].append(name)
    return [names for names in groups.values() if len(names) > 1]


def _on_same(
    key: str,
    same: list[list[str]],
    texts: dict[str, str],
    cut: dict[str, int],
    context: int,
) -> str:
    unanswered = sum(len(names) - 1 for names in same)
    groups = [
        " = ".join(one_line(name, 40) for name in names[:4])
        + (" = …" if names[4:] else "")
        for names in same[:3]
    ]
    why = "the prompts"
    longest = max((cut.get(name, 0) for names in same for name in names), default=0)
    if longest:
        why += (
            f", cut to the {context} tokens that the model reads (of up to {longest}),"
        )
    said = (
        f"{key}: {why} say the same for {one_line('; '.join(groups), 200)}"
        f"{' and others' if same[3:] else ''}; of each of these only the first is ever answered by "
        "the zero-shot model"
    )
    if unanswered > MOST_UNANSWERED * len(texts):
        raise StockpotError(
            f"{said}; give {_count(unanswered, texts)} a text of their own, short enough, in a CSV "
            f"file with the columns class and name ({key})"
        )
    return said


def _on_file(key: str, head: dict, texts: dict[str, str]) -> list[str]:
    """The file of names: what it leaves out and says twice."""
    notes = []
    if head["texts"]:
        missing = [one_line(name, 40) for name in texts if name not in head["texts"]]
        if missing:
            notes.append(
                f"{key}: leaves out {_count(len(missing), texts)}, whose own names are taken: "
                f"{_listed(missing, len(missing))}"
            )
    twice = head.get("twice", {})
    if twice:
        shown = [f"{one_line(name, 40)} (line {line})" for name, line in twice.items()]
        notes.append(
            f"{key}: names twice, where the last text counts: {_listed(shown, len(twice))}"
        )
    return notes


def _on_names(key: str, head: dict, texts: dict[str, str]) -> list[str]:
    """Names that no caption has."""
    notes = []
    numbers = [name for name, text in texts.items() if text.strip().isdigit()]
    if len(numbers) == len(texts):
        notes.append(_on_odd(key, head, "numbers", numbers, texts))
    ids = [name for name, text in texts.items() if WORDNET.match(text.strip())]
    if ids:
        notes.append(_on_odd(key, head, "ids of WordNet", ids, texts))
    return notes


def _on_odd(
    key: str, head: dict, kind: str, names: list[str], texts: dict[str, str]
) -> str:
    example = head["prompts"][0].replace("{}", texts[names[0]])
    return (
        f"{key}: {_count(len(names), texts)} are {kind}, so prompts say "
        f"{one_line(example, 80)!r}; a CSV file with the columns class and name gives them words"
    )


def _count(count: int, texts: dict[str, str]) -> str:
    return f"{count:,} of {len(texts):,} classes"


def _listed(names: list[str], count: int) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if count > SHOWN else "")
