"""Linear mixing of weights, tensor by tensor.

A mix is the weighted sum of the same tensor of several models (Model soups, section 2; WiSE-FT,
equation 1). Tensors of files are read chunk by chunk, so memory does not grow with the number
of ingredients.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch

from ..models.card import Card
from ..models.stream import LazyTensor
from .coefficients import Coefficient, combine, tensor_coefficients

# Numbers summed in one step on a CPU. The sum and its terms stay in the processor's cache, and
# torch runs a step in one thread: threads that meet after every step lose a hundredfold as soon
# as the cores have other work too.
SUM_CHUNK = 2**15
# Numbers that are mixed by one task and written at once.
WRITE_CHUNK = 2**18

# A tensor in memory, or one of a file that is read slice by slice.
StoredTensor: TypeAlias = torch.Tensor | LazyTensor
# A coefficient and what it multiplies.
Term = tuple[float, StoredTensor]
# Takes a tensor's name, a flat chunk of it, and the number of its bytes before the chunk.
WriteChunk = Callable[[str, torch.Tensor, int], None]
# Reads the numbers from a start to a stop.
_ReadSlice = Callable[[int, int], torch.Tensor]


class Tensors(Protocol):
    """Tensors by name: those of a dictionary, or the weights in a file."""

    def __getitem__(self, name: str, /) -> torch.Tensor:
        """Read one tensor."""


def lazy_tensor(
    model: Tensors,
    name: str,
) -> StoredTensor:
    """Get one tensor of a model without reading it.

    Args:
        model: Tensors by name, in memory or in a file.
        name: Name of the tensor.

    Returns:
        The tensor itself if the model is in memory, else an object that reads slices of it.
    """
    if hasattr(model, "stored"):
        return model.stored(name)
    return model[name]


def load_tensor(tensor: StoredTensor) -> torch.Tensor:
    """Read a tensor into memory, unless it is there already.

    Args:
        tensor: What ``lazy_tensor`` returns.

    Returns:
        The whole tensor in its own shape and type.
    """
    return tensor.read() if isinstance(tensor, LazyTensor) else tensor


def mix(terms: Iterable[Term]) -> torch.Tensor:
    """Compute the linear combination of equally shaped tensors, summed in float64.

    Args:
        terms: (coefficient, tensor) of every ingredient, at least one.

    Returns:
        A tensor of the ingredients' type. With a single coefficient of 1, and of integers
        (counters), the result is the first ingredient: the tensor itself if it is in memory, else
        a copy of it.
    """
    terms = list(terms)
    first = terms[0][1]
    if _takes_first(terms) and isinstance(first, torch.Tensor):
        return first
    target = torch.empty(first.shape, dtype=first.dtype)
    mix_into(target, terms)
    return target


def mix_into(
    target: torch.Tensor,
    terms: list[Term],
) -> None:
    """Write ``mix(terms)`` into a tensor.

    The sum is rounded to the ingredients' type before it is rounded to the target's type, so
    the same numbers arrive wherever the ingredients lie.

    Args:
        target: Contiguous, of any type, on any device.
        terms: (coefficient, tensor) of every ingredient.

    Raises:
        ValueError: If the shapes differ.
    """
    _mix_range(target.view(-1), terms, target.numel(), 0)


@torch.inference_mode()
def _mix_range(
    out: torch.Tensor,
    terms: list[Term],
    size: int,
    offset: int,
) -> None:
    """Fill ``out`` [len] with the numbers ``offset`` to ``offset + len`` of a mix [size]."""
    stop = offset + len(out)
    if _takes_first(terms):
        tensor = terms[0][1]
        copied = iterate_chunks([tensor], size, SUM_CHUNK, offset, stop)
        for start, (chunk,) in copied:
            begin = start - offset
            out[begin : begin + len(chunk)].copy_(chunk)
        return
    # A GPU sums the whole range at once; a CPU in steps that stay in its cache.
    step = min(SUM_CHUNK, len(out)) if out.device.type == "cpu" else len(out)
    dtype = terms[0][1].dtype
    coefficients = [coefficient for coefficient, _ in terms]
    tensors = [tensor for _, tensor in terms]
    total = torch.empty(
        step,
        dtype=torch.float64,
        device=out.device,
    )
    for start, chunks in iterate_chunks(tensors, size, step, offset, stop):
        length = len(chunks[0])
        total = total[:length].zero_()
        # theta = sum_i c_i theta_i. The order of the terms fixes how the sum is rounded.
        for coefficient, chunk in zip(coefficients, chunks):
            total.add_(chunk.to(out.device), alpha=coefficient)
        begin = start - offset
        out[begin : begin + length].copy_(total.to(dtype))


def iterate_chunks(
    tensors: list[StoredTensor],
    size: int,
    step: int = SUM_CHUNK,
    first: int = 0,
    last: int | None = None,
) -> Iterator[tuple[int, list[torch.Tensor]]]:
    """Iterate over equally long tensors, chunk by chunk.

    A chunk of a file is in memory only until the next one is asked for.

    Args:
        tensors: Tensors of ``size`` numbers each, of any shape.
        size: Numbers in each tensor.
        step: Numbers in a chunk; the last chunk may be shorter.
        first: Where to begin.
        last: Where to stop; the end of the tensors if None.

    Yields:
        (index of the chunk's first number, the flat chunk of every tensor).

    Raises:
        ValueError: If a tensor has another number of numbers.
    """
    readers = [_slice_reader(tensor, size, step) for tensor in tensors]
    if last is None:
        last = size
    for start in range(first, last, max(1, step)):
        stop = min(start + step, last)
        yield start, [read(start, stop) for read in readers]


def _slice_reader(
    tensor: StoredTensor,
    size: int,
    step: int,
) -> _ReadSlice:
    """A function that reads slices of at most ``step`` numbers."""
    length = tensor.shape.numel()
    if length != size:
        raise ValueError(f"{length} numbers cannot be mixed with {size}")
    if isinstance(tensor, LazyTensor):
        return tensor.reader(step)
    flat = tensor.reshape(-1)
    return lambda start, stop: flat[start:stop]


def mix_many(targets: list[tuple[torch.Tensor, list[Term]]]) -> None:
    """Mix several tensors. On a CPU each thread takes one tensor at a time.

    Args:
        targets: (target, terms) as ``mix_into`` takes them.

    Raises:
        ValueError: If the shapes of a target and its ingredients differ.
    """
    on_cpu = all(target.device.type == "cpu" for target, _ in targets)
    mixed_tensors = [target for target, _ in targets]
    term_lists = [terms for _, terms in targets]
    with ThreadPoolExecutor(torch.get_num_threads() if on_cpu else 1) as pool:
        # Reading the results raises what a thread raised.
        for _ in pool.map(mix_into, mixed_tensors, term_lists):
            pass


def _takes_first(terms: list[Term]) -> bool:
    """Is the first ingredient taken unchanged: alone with coefficient 1, or integers?"""
    coefficient, tensor = terms[0]
    is_single = len(terms) == 1 and coefficient == 1
    return is_single or not tensor.is_floating_point()


@dataclass(frozen=True)
class _MixTask:
    """One range of one tensor of a mix.

    Attributes:
        name: Name of the tensor.
        terms: (coefficient, tensor) of every ingredient.
        size: Numbers in the whole tensor.
        offset: Index of the first number of the range.
    """

    name: str
    terms: list[Term]
    size: int
    offset: int

    def run(self, write: WriteChunk | None) -> tuple[str, torch.Tensor]:
        """Mix the range and write it.

        Args:
            write: Gets the range, if not None.

        Returns:
            (name of the tensor, numbers of the range).
        """
        length = min(WRITE_CHUNK, self.size - self.offset)
        chunk = torch.empty(length, dtype=self.terms[0][1].dtype)
        _mix_range(chunk, self.terms, self.size, self.offset)
        if write is not None:
            write(self.name, chunk, self.offset * chunk.element_size())
        return self.name, chunk


def iterate_mix(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Tensors],
    names: Iterable[str],
    write: WriteChunk | None = None,
) -> Iterator[tuple[str, torch.Tensor]]:
    """Mix models, and yield their tensors flat, in consecutive chunks of ``WRITE_CHUNK`` numbers.

    The sum runs in the order of the ingredients' names, so the order of the arguments changes
    no byte. Threads mix what comes next while the caller looks at what came before.

    Args:
        coefficients: Ingredient -> one number, or one number per prefix of tensor names.
        ingredients: Ingredient -> its tensors by name.
        names: Names of the tensors to mix, in the order in which they are wanted.
        write: Called by the threads with every chunk.

    Yields:
        (name of the tensor, its next chunk).
    """
    threads = torch.get_num_threads()
    tasks = _mix_tasks(coefficients, ingredients, names)
    with ThreadPoolExecutor(threads) as pool:
        yield from _run_ahead(
            pool,
            tasks,
            write,
            ahead=threads + 1,
        )


def _mix_tasks(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Tensors],
    names: Iterable[str],
) -> Iterator[_MixTask]:
    for name in names:
        terms = [
            (number, lazy_tensor(ingredients[key], name))
            for number, key in tensor_coefficients(coefficients, name)
        ]
        size = terms[0][1].shape.numel()
        # A tensor without numbers has one chunk too, so that it is written.
        for offset in range(0, max(1, size), WRITE_CHUNK):
            yield _MixTask(name, terms, size, offset)


def _run_ahead(
    pool: Executor,
    tasks: Iterable[_MixTask],
    write: WriteChunk | None,
    ahead: int,
) -> Iterator[tuple[str, torch.Tensor]]:
    """Run tasks in threads and yield the results in the order of the tasks.

    Digests need the order. The limit ``ahead`` keeps memory small: no more results than that
    wait for the caller.
    """
    waiting: deque[Future[tuple[str, torch.Tensor]]] = deque()
    for task in tasks:
        waiting.append(pool.submit(task.run, write))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def tower_coefficients(
    coefficients: Mapping[str, Coefficient],
    cards: Mapping[str, Card],
) -> dict[str, Coefficient]:
    """Get the coefficients to mix the tower with.

    An affine mix of equal towers is that tower. It is then taken from one ingredient, which
    saves the sum and its rounding.

    Args:
        coefficients: Ingredient -> its coefficient in the recipe.
        cards: Ingredient -> its card.

    Returns:
        The coefficients as they are, or a single 1 if all towers are the same.
    """
    towers = {cards[key].tower_sha256 for key in coefficients}
    if len(towers) == 1 and _sum_to_one(coefficients):
        return {min(coefficients): 1.0}
    return dict(coefficients)


def _sum_to_one(coefficients: Mapping[str, Coefficient]) -> bool:
    """Do the coefficients sum to 1 in every tensor?"""
    # Rounded to 9 digits, as sums such as 0.1 + 0.2 + 0.7 miss 1 by the last bit.
    total = combine(
        lambda *numbers: round(math.fsum(numbers), 9), *coefficients.values()
    )
    return total == 1
