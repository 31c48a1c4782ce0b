"""A classifier on disk: image tower and head in one safetensors file, with a card beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..runtime.atomic_files import atomic
from ..runtime.digest import canonical, sha256
from ..runtime.errors import StockpotError
from ..runtime.kept_files import keep_last
from ..runtime.sealed import damaged, unreadable, write_sealed
from .card import CARD, Card, read_card
from .stream import LazyTensor, SafetensorsIndex, TensorDigest

WEIGHTS = "classifier.safetensors"

# How the names of a classifier's tensors begin.
TOWER = "visual."
HEAD = "head."


def write_classifier(
    folder: str | Path,
    card: Card,
    tensors: dict[str, torch.Tensor],
) -> Card:
    """Write weights and card.

    Args:
        folder: The folder of the classifier.
        card: What is known of it; the digests are put into it.
        tensors: ``visual.*`` of the tower, ``head.weight`` [classes, features] and ``head.bias``
            [classes]. Tensors that share memory are written once each.

    Returns:
        The card.
    """
    contiguous = {}
    for name, tensor in sorted(tensors.items()):
        # A copy each: safetensors refuses tensors that share memory.
        contiguous[name] = tensor.detach().cpu().contiguous().clone()
    model_sha256, tower_sha256 = digests(card, contiguous.items())
    card.sha256 = model_sha256
    card.tower_sha256 = tower_sha256
    with atomic(Path(folder) / WEIGHTS) as path:
        save_file(contiguous, path, file_metadata(card))
    # Last, as the digests in it say which weights it belongs to.
    write_card(folder, card)
    return card


def file_metadata(card: Card) -> dict[str, str]:
    """Describe a model in its weights file.

    Args:
        card: The card of the model.

    Returns:
        Metadata of a safetensors file: the card without the history.
    """
    description = asdict(card)
    del description["history"]
    # One metadata key: the library writes several in random order.
    return {"card": canonical(description)}


def write_card(folder: str | Path, card: Card) -> None:
    """Write the card; the weights have to be there already.

    A usable model is kept in case it is made again and that is stopped.

    Args:
        folder: The folder of the classifier.
        card: Its card.
    """
    write_sealed(Path(folder) / CARD, asdict(card))
    # A diverged run has no weights that could be kept.
    if card.status == "ok":
        keep_last(folder, (WEIGHTS, CARD))


def digests(card: Card, tensors: Iterable[tuple[str, torch.Tensor]]) -> tuple[str, str]:
    """Digest a model and its tower; every tensor is digested once.

    A model is what it computes: its card's interface, its tower, its head.

    Args:
        card: The card of the model.
        tensors: Names and tensors, in the order of the names.

    Returns:
        SHA-256 of the model and of its tower, in hexadecimal digits.
    """
    digest = ModelDigest(card)
    for name, tensor in tensors:
        digest.of(name).add(name, tensor)
    return digest.finish()


def model_digest(card: Card, tensors: Mapping[str, torch.Tensor]) -> str:
    """Digest a model.

    Args:
        card: The card of the model.
        tensors: Its tensors in any order.

    Returns:
        SHA-256 of the model, in hexadecimal digits.
    """
    model_sha256, _ = digests(card, sorted(tensors.items()))
    return model_sha256


class ModelDigest:
    """The digests of a model whose tensors come one by one."""

    def __init__(self, card: Card):
        """Begin with the interface of the model.

        Args:
            card: The card of the model.
        """
        # Parts are digested one by one, so that equal towers are known under other heads.
        self._interface = card.interface()
        self._tower = TensorDigest()
        self._rest = TensorDigest()

    def of(self, name: str) -> TensorDigest:
        """Choose the digest that a tensor belongs to.

        Args:
            name: The name of the tensor.

        Returns:
            The digest of the tower, or that of the rest.
        """
        if name.startswith(TOWER):
            return self._tower
        return self._rest

    def finish(self) -> tuple[str, str]:
        """Finish both digests.

        Returns:
            SHA-256 of the model and of its tower, in hexadecimal digits.
        """
        tower_sha256 = self._tower.hexdigest()
        rest_sha256 = self._rest.hexdigest()
        return sha256([self._interface, tower_sha256, rest_sha256]), tower_sha256


class Weights:
    """The tensors of one classifier, memory-mapped and read one at a time.

    Attributes:
        card: The card of the classifier.
        path: The file of its weights.
        names: The names of its tensors, sorted.
    """

    def __init__(self, folder: str | Path, *, verify: bool = True):
        """Open the weights of a classifier.

        Args:
            folder: The folder of the classifier.
            verify: Whether all tensors are read and compared with the digest in the card.

        Raises:
            StockpotError: The run diverged, or the file is broken or does not fit its card.
        """
        self.card = read_card(folder)
        self.path = Path(folder) / WEIGHTS
        # The card is written after the weights, so they are there unless the run diverged.
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
        self._index = SafetensorsIndex(self.path)
        if verify and self._digest() != self.card.sha256:
            raise damaged(
                self.path,
                f"its content is not what {CARD} beside it describes",
                folder,
            )

    def _digest(self) -> str:
        """The digest of what is in the file; "" where a tensor cannot be read."""
        # Read slice by slice and not mapped, so that the process does not hold the whole file.
        pairs = ((name, self.stored(name).read()) for name in self.names)
        try:
            model_sha256, _ = digests(self.card, pairs)
        except (OSError, KeyError, ValueError, MemoryError):
            return ""
        return model_sha256

    def keys(self) -> list[str]:
        """List the tensors, so that the weights can be used like a dict.

        Returns:
            Their names, sorted.
        """
        return self.names

    def __getitem__(self, name: str) -> torch.Tensor:
        """Read one tensor."""
        return self._file.get_tensor(name)

    def stored(self, name: str) -> LazyTensor:
        """Give a tensor to be read slice by slice, for merges whose memory must not grow.

        Args:
            name: The name of the tensor.

        Returns:
            The tensor; nothing of it is read yet.
        """
        return self._index[name]

    def shapes(self) -> dict[str, tuple[list[int], str]]:
        """Describe all tensors, without reading more than the header.

        Returns:
            Name -> shape, and type as safetensors names it ("F32").
        """
        shapes = {}
        for name in self.names:
            header_entry = self._file.get_slice(name)
            shapes[name] = (header_entry.get_shape(), header_entry.get_dtype())
        return shapes


class WithHead:
    """The tower of one classifier under the head of another, tensor by tensor.

    Attributes:
        card: The card of the classifier with the head.
        names: The names of all tensors, sorted.
    """

    def __init__(self, tower: Weights, head: Weights):
        """Combine two classifiers.

        Args:
            tower: The classifier whose tower is used.
            head: The classifier whose head is used.
        """
        self.card = head.card
        self.names = head.names
        self._tower = tower
        self._head = head

    def _owner(self, name: str) -> Weights:
        """The classifier that a tensor is from."""
        if name.startswith(HEAD):
            return self._head
        return self._tower

    def keys(self) -> list[str]:
        """List the tensors, so that the weights can be used like a dict.

        Returns:
            Their names, sorted.
        """
        return self.names

    def __getitem__(self, name: str) -> torch.Tensor:
        """Read one tensor."""
        return self._owner(name)[name]

    def stored(self, name: str) -> LazyTensor:
        """Give a tensor to be read slice by slice.

        Args:
            name: The name of the tensor.

        Returns:
            The tensor; nothing of it is read yet.
        """
        return self._owner(name).stored(name)

    def shapes(self) -> dict[str, tuple[list[int], str]]:
        """Describe all tensors, without reading more than the headers.

        Returns:
            Name -> shape, and type as safetensors names it ("F32").
        """
        shapes = self._tower.shapes()
        for name, description in self._head.shapes().items():
            if name.startswith(HEAD):
                shapes[name] = description
        return shapes


# The tensors of a classifier, of one file or of two.
OpenWeights = Weights | WithHead
