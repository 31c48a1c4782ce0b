"""What prompts and class names of a study will not do: lines for the plan, before any head is made.

A text longer than the model's context is cut, and classes with one text have one row in the head,
of which the first is always answered. Published lists have a few of those (iWildCam 4 of 182), so a
few are told; more than one class in twenty is a mistake and refused.
"""

import re
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

from ..models.tokens import Tokens
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .model_jobs import ModelJob

CONTEXT = 77  # of CLIP, where the config says nothing
MARKS = 2  # tokens at a text's beginning and end
MOST_UNANSWERED = 0.05  # of the classes
SHOWN = 5  # classes that a line names
GROUPS_SHOWN = 3  # groups of classes with one text
GROUP_NAMES_SHOWN = 4  # classes of such a group
WORDNET = re.compile(r"[nvars]\d{8}\Z")  # as n02123045 of ImageNet


def prompt_notes(
    model: ModelJob,
    head: dict[str, Any],
    texts: dict[str, str],
) -> list[str]:
    """Find what is wrong with the prompts of one task.

    Args:
        model: Of the plan: its architecture and files.
        head: As ``prompts.read_head`` gives it.
        texts: Class -> what stands in the prompts for it.

    Returns:
        A line per fault; none where there is nothing to say.

    Raises:
        StockpotError: So many classes share a text that they could never be answered.
    """
    names_key = head["key"]
    text_cfg = model.architecture["model_cfg"]["text_cfg"]
    # Tokenizers of the Hugging Face hub have vocabularies of their own.
    uses_hub = text_cfg.get("hf_tokenizer_name") or text_cfg.get("hf_model_name")
    notes = _notes_on_file(names_key, head, texts)
    notes += _notes_on_names(names_key, head, texts)

    tokens = _tokens(model, text_cfg, uses_hub=bool(uses_hub))
    context_length = text_cfg.get("context_length") or CONTEXT
    budget = _TokenBudget(tokens, head["prompts"], context_length)
    cut_lengths = _cut_texts(budget, texts)
    if cut_lengths:
        context_text = str(context_length)
        if uses_hub:
            # Another tokenizer stands for that of a hub, so lengths are about right.
            context_text = f"about {context_length}"
        note = _note_on_cut(names_key, cut_lengths, texts, context_text)
        notes.append(note)
    notes += _notes_on_same(head, tokens, budget, texts, cut_lengths)
    return notes


def _notes_on_same(
    head: dict[str, Any],
    tokens: Tokens,
    budget: "_TokenBudget",
    texts: dict[str, str],
    cut_lengths: dict[str, int],
) -> list[str]:
    """The line on classes that the model cannot tell apart, if there are some."""
    groups = _indistinguishable(tokens, budget, texts, cut_lengths)
    if not groups:
        return []
    note = _note_on_same(
        head,
        groups,
        texts,
        cut_lengths,
        budget.context_length,
    )
    return [note]


def _cut_texts(
    budget: "_TokenBudget",
    texts: dict[str, str],
) -> dict[str, int]:
    """Class -> tokens that its text needs, of texts that are cut as they have too many."""
    cut_lengths = {}
    for name, text in texts.items():
        if not budget.has_room_for(text):
            cut_lengths[name] = budget.needed(text)
    return cut_lengths


def _tokens(
    model: ModelJob,
    text_cfg: dict[str, Any],
    *,
    uses_hub: bool,
) -> Tokens:
    """The tokenizer of the model, or one that cuts texts about as it does."""
    vocabulary = model.files.get("vocabulary")
    path = Path(vocabulary) if vocabulary else None
    if uses_hub:
        # A tokenizer of a hub is not here; its words are about those of CLIP, letters as they are.
        return Tokens(path, "whitespace")
    options = text_cfg.get("tokenizer_kwargs") or {}
    return Tokens(path, options.get("clean") or "lower")


class _TokenBudget:
    """How many tokens the prompts leave for a class's text.

    Attributes:
        context_length: Tokens that the model reads.
    """

    def __init__(
        self,
        tokens: Tokens,
        prompts: list[str],
        context_length: int,
    ):
        self.context_length = context_length
        self._tokens = tokens
        self._prompts = prompts
        # No text has more tokens than bytes, which are counted faster.
        self._most_prompt_tokens = max(map(_byte_count, prompts)) + MARKS

    @cached_property
    def _longest_prompt(self) -> int:
        """Tokens of the longest prompt without a class."""
        sizes = []
        for prompt in self._prompts:
            without_class = prompt.replace("{}", " ")
            pieces = self._tokens.pieces(without_class)
            sizes.append(len(pieces))
        return max(sizes) + MARKS

    @cached_property
    def read_of_long_text(self) -> int:
        """Tokens that are read of a long text, by the prompt in which it begins soonest."""
        beginnings = []
        for prompt in self._prompts:
            beginning, _, _ = prompt.partition("{}")
            pieces = self._tokens.pieces(beginning)
            beginnings.append(len(pieces))
        return self.context_length - MARKS - min(beginnings)

    def has_room_for(self, text: str) -> bool:
        """Is the text read whole in every prompt?"""
        # Most names are short, and need not be cut into tokens to know it.
        most_tokens = self._most_prompt_tokens + _byte_count(text)
        if most_tokens <= self.context_length:
            return True
        return self.needed(text) <= self.context_length

    def needed(self, text: str) -> int:
        """Tokens of the longest prompt with this text."""
        pieces = self._tokens.pieces(text)
        return self._longest_prompt + len(pieces)


def _byte_count(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _indistinguishable(
    tokens: Tokens,
    budget: _TokenBudget,
    texts: dict[str, str],
    cut_lengths: dict[str, int],
) -> list[list[str]]:
    """Classes that the model cannot tell apart by their prompts, in groups."""
    names_by_text: defaultdict[str | tuple[str, ...], list[str]] = defaultdict(list)
    for name, text in texts.items():
        if name in cut_lengths:
            # Two long texts may begin alike, and what differs be cut off.
            pieces = tokens.pieces(text)
            read_pieces = tuple(pieces[: budget.read_of_long_text])
            names_by_text[read_pieces].append(name)
        else:
            # Case and spaces make no difference to the tokenizer.
            cleaned_text = tokens.cleaned(text)
            names_by_text[cleaned_text].append(name)
    return [names for names in names_by_text.values() if len(names) > 1]


def _note_on_cut(
    names_key: str,
    cut_lengths: dict[str, int],
    texts: dict[str, str],
    context_text: str,
) -> str:
    """The line on texts that are longer than the context.

    Args:
        names_key: Key path of the class names in the config.
        cut_lengths: Class -> tokens that its text needs, of texts that are cut.
        texts: Class -> what stands in the prompts for it.
        context_text: How many tokens the model reads.
    """
    shown = []
    for name, token_count in list(cut_lengths.items())[:SHOWN]:
        shown.append(f"{one_line(name, 40)} ({token_count})")
    subject = _share_of_classes(len(cut_lengths), texts)
    examples = _first_of(shown, len(cut_lengths))
    return (
        f"{names_key}: with the prompts {subject} have more tokens than the "
        f"{context_text} that the model reads, and are cut: {examples}"
    )


def _note_on_same(
    head: dict[str, Any],
    groups: list[list[str]],
    texts: dict[str, str],
    cut_lengths: dict[str, int],
    context_length: int,
) -> str:
    """The line on classes with one text. Raises StockpotError where there are too many."""
    names_key = head["key"]
    subject = "the prompts"
    longest = 0
    unanswered = 0
    for names in groups:
        unanswered += len(names) - 1
        for name in names:
            longest = max(longest, cut_lengths.get(name, 0))
    if longest:
        subject += f", cut to the {context_length} tokens that the model reads"
        subject += f" (of up to {longest}),"
    shown = [_equation(names) for names in groups[:GROUPS_SHOWN]]
    others = " and others" if len(groups) > GROUPS_SHOWN else ""
    groups_text = one_line("; ".join(shown), 200)
    note = (
        f"{names_key}: {subject} say the same for {groups_text}{others}; of each "
        "of these groups, the zero-shot model can answer only the first class"
    )
    # Accuracies of a head that never answers these classes would mislead.
    if unanswered > MOST_UNANSWERED * len(texts):
        count_text = _share_of_classes(unanswered, texts)
        raise StockpotError(
            f"{note}; give {count_text} a text of their own, short enough, in a CSV "
            f"file with the columns class and name ({names_key})"
        )
    return note


def _equation(names: list[str]) -> str:
    """Classes with one text, as in "a = b = c"."""
    shown = [one_line(name, 40) for name in names[:GROUP_NAMES_SHOWN]]
    if len(names) > GROUP_NAMES_SHOWN:
        shown.append("…")
    return " = ".join(shown)


def _notes_on_file(
    names_key: str,
    head: dict[str, Any],
    texts: dict[str, str],
) -> list[str]:
    """The file of names: what it leaves out and says twice."""
    notes = []
    if head["texts"]:
        missing = [one_line(name, 40) for name in texts if name not in head["texts"]]
        if missing:
            notes.append(
                f"{names_key}: leaves out {_share_of_classes(len(missing), texts)}; the names of "
                f"these classes are used instead: {_first_of(missing, len(missing))}"
            )
    # The key is there only if the file gives a class two different texts.
    line_by_name = head.get("twice", {})
    if line_by_name:
        shown = []
        for name, line in line_by_name.items():
            shown.append(f"{one_line(name, 40)} (line {line})")
        notes.append(
            f"{names_key}: names some classes twice, and the last text counts: "
            f"{_first_of(shown, len(shown))}"
        )
    return notes


def _notes_on_names(
    names_key: str,
    head: dict[str, Any],
    texts: dict[str, str],
) -> list[str]:
    """Names that no caption has."""
    notes = []
    numbers = []
    wordnet_ids = []
    for name, text in texts.items():
        if text.strip().isdigit():
            numbers.append(name)
        if WORDNET.match(text.strip()):
            wordnet_ids.append(name)
    # Some classes of a good list are numbers, as street signs; a list of numbers only is none.
    if len(numbers) == len(texts):
        notes.append(
            _note_on_odd(
                names_key,
                head,
                "numbers",
                numbers,
                texts,
            )
        )
    if wordnet_ids:
        notes.append(
            _note_on_odd(
                names_key,
                head,
                "ids of WordNet",
                wordnet_ids,
                texts,
            )
        )
    return notes


def _note_on_odd(
    names_key: str,
    head: dict[str, Any],
    kind: str,
    names: list[str],
    texts: dict[str, str],
) -> str:
    """The line on class names that are no words, with a prompt as an example."""
    # A prompt shows best what the model would read.
    example = head["prompts"][0].replace("{}", texts[names[0]])
    return (
        f"{names_key}: {_share_of_classes(len(names), texts)} are {kind}, so prompts say "
        f"{one_line(example, 80)!r}; a CSV file with the columns class and name gives them words"
    )


def _share_of_classes(
    class_count: int,
    texts: dict[str, str],
) -> str:
    """As in "4 of 182 classes"."""
    return f"{class_count:,} of {len(texts):,} classes"


def _first_of(
    names: list[str],
    name_count: int,
) -> str:
    """Some names, and a sign that there are more. name_count: how many there are."""
    text = ", ".join(names[:SHOWN])
    if name_count > SHOWN:
        text += ", …"
    return text
