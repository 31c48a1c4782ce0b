"""The Classifier noun: image tower and head in one safetensors file, with a card beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..runtime.atomic_files import atomic
from ..runtime.digest import canonical, sha256
from ..runtime.errors import StockpotError
from ..runtime.last import keep_last
from ..runtime.sealed import damaged, unreadable, write_sealed
from .card import CARD, Card, read_card
from .stream import Places, Stored, TensorDigest

WEIGHTS = "classifier.safetensors"
TOWER, HEAD = "visual.", "head."


def write_classifier(
    folder: str | Path, card: Card, tensors: dict[str, torch.Tensor]
) -> Card:
    """Write weights and card; the card, written last, holds the digests of the weights.

    tensors: ``visual.*`` of the tower, ``head.weight`` [classes, features] and ``head.bias``
    [classes]. Tensors that share memory are written once each.
    """
    tensors = {
        name: t.detach().cpu().contiguous().clone()
        for name, t in sorted(tensors.items())
    }
    card.sha256, card.tower_sha256 = digests(card, tensors.items())
    with atomic(Path(folder) / WEIGHTS) as path:
        save_file(tensors, path, file_metadata(card))
    write_card(folder, card)
    return card


def file_metadata(card: Card) -> dict[str, str]:
    """What a weights file says of itself: its card without the history."""
    described = {key: value for key, value in asdict(card).items() if key != "history"}
    # One metadata key: the library writes several in random order.
    return {"card": canonical(described)}


def write_card(folder: str | Path, card: Card) -> None:
    """Write the card, after the weights; a usable model is then kept while it is made again."""
    write_sealed(Path(folder) / CARD, asdict(card))
    if card.status == "ok":
        keep_last(folder, (WEIGHTS, CARD))


def digests(card: Card, tensors: Iterable[tuple[str, torch.Tensor]]) -> tuple[str, str]:
    """(of the model, of its tower): SHA-256 in hexadecimal, every tensor digested once.

    A model is what it computes: its card's interface, its tower, its head. tensors: in the
    order of their names.
    """
    digest = ModelDigest(card)
    for name, tensor in tensors:
        digest.of(name).add(name, tensor)
    return digest.finish()


def model_digest(card: Card, tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of a model from its card and its tensors in any order."""
    return digests(card, sorted(tensors.items()))[0]


class ModelDigest:
    """``digests`` for tensors that come one by one."""

    def __init__(self, card: Card):
        self._interface = card.interface()
        self._tower, self._rest = TensorDigest(), TensorDigest()

    def of(self, name: str) -> TensorDigest:
        """The digest that a tensor belongs to."""
        return self._tower if name.startswith(TOWER) else self._rest

    def finish(self) -> tuple[str, str]:
        tower = self._tower.hexdigest()
        return sha256([self._interface, tower, self._rest.hexdigest()]), tower


class Weights:
    """The tensors of one Classifier, memory-mapped and read one at a time."""

    def __init__(self, folder: str | Path, verify: bool = True):
        """Raises StockpotError for a diverged run, a broken file, or one unlike its card."""
        self.card, self.path = read_card(folder), Path(folder) / WEIGHTS
        if self.card.status != "ok":
            raise StockpotError(
                f"{self.path}: the run {self.card.name} {self.card.status} and has no weights"
            )
        try:
            self._file = safe_open(self.path, framework="pt")
        except OSError as error:
            raise unreadable(self.path, error, folder) from error
        except SafetensorError as error:
            raise damaged(self.path, str(error), folder) from error
        self.names = sorted(self._file.keys())
        self._places = Places(self.path)
        if verify and self._digest() != self.card.sha256:
            raise damaged(
                self.path, f"its content is not what {CARD} beside it describes", folder
            )

    def _digest(self) -> str:
        """Of what is in the file; "" where a tensor cannot be read."""
        try:
            pairs = ((name, self.stored(name).read()) for name in self.names)
            return digests(self.card, pairs)[0]
        except (OSError, KeyError, ValueError, MemoryError):
            return ""

    def keys(self) -> list[str]:
        return self.names

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._file.get_tensor(name)

    def stored(self, name: str) -> Stored:
        """The tensor to be read slice by slice, for merges whose memory must not grow."""
        return self._places[name]

    def shapes(self) -> dict[str, tuple[list[int], str]]:
        """Shape and type of every tensor, read from the header alone."""
        slices = {name: self._file.get_slice(name) for name in self.names}
        return {name: (s.get_shape(), s.get_dtype()) for name, s in slices.items()}


class WithHead:
    """The tower of one Classifier under the head of another, tensor by tensor."""

    def __init__(self, tower: Weights, head: Weights):
        self.card, self.names, self._tower, self._head = (
            head.card,
            head.names,
            tower,
            head,
        )

    def keys(self) -> list[str]:
        return self.names

    def __getitem__(self, name: str) -> torch.Tensor:
        return (self._head if name.startswith(HEAD) else self._tower)[name]

    def stored(self, name: str) -> Stored:
        return (self._head if name.startswith(HEAD) else self._tower).stored(name)

    def shapes(self) -> dict[str, tuple[list[int], str]]:
        heads = {n: s for n, s in self._head.shapes().items() if n.startswith(HEAD)}
        return self._tower.shapes() | heads
