"""What a checkpoint's pickle may name, and what of it is taken for a tensor.

Nothing that a file names is ever imported or called, so a name is no danger to the reader. Names
outside of PyTorch (paths, arrays, versions, classes of a training program) are inert records beside
the tensors. A file that names a way to run commands is refused all the same: it was made to do harm
to whoever loads it in another way.
"""

# The class of a storage -> the type of its numbers.
STORAGE_DTYPES = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
    "torch.ComplexFloatStorage": "complex64",
    "torch.ComplexDoubleStorage": "complex128",
    # Newer types have storages in bytes; the tensor says its type.
    "torch.storage.UntypedStorage": "uint8",
    "torch.UntypedStorage": "uint8",
}
# Bytes of a number of each type that a tensor may have.
ITEM_BYTES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "complex64": 8,
    "complex128": 16,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
}
# The functions and classes that tensors and modules are made by.
ORDERED_DICT = "collections.OrderedDict"
STORAGE_FROM_BYTES = "torch.storage._load_from_bytes"
TENSOR_MAKERS = (
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v3",
)
PARAMETER_MAKERS = (
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
)
# Beginnings of others: quantised, sparse, on the meta device. No plain storage holds these.
OTHER_TENSOR_MAKERS = (
    "torch._utils._rebuild_",
    "torch._tensor._rebuild_",
)
# What protocol 2 makes bytes and sets by.
BYTES_FROM_TEXT = "_codecs.encode"
SET_MAKERS = ("builtins.set", "__builtin__.set")
# The beginning of the classes of scripted modules.
TORCHSCRIPT_PREFIX = "__torch__."

# Modules and functions by which a pickle runs commands, reads and writes files, or gets at others.
_RUNNING_MODULES = frozenset(
    [
        "os",
        "posix",
        "nt",
        "subprocess",
        "commands",
        "sys",
        "shutil",
        "socket",
        "pty",
        "runpy",
        "importlib",
        "imp",
        "ctypes",
        "code",
        "codeop",
        "pdb",
        "timeit",
        "webbrowser",
        "multiprocessing",
        "asyncio",
        "pip",
        "pickle",
        "_pickle",
        "marshal",
        "torch.hub",
        "torch.serialization",
        "torch.utils.cpp_extension",
    ]
)
_RUNNING_BUILTINS = frozenset(
    [
        "eval",
        "exec",
        "compile",
        "open",
        "__import__",
        "execfile",
        "file",
        "apply",
        "input",
        "setattr",
        "delattr",
        "globals",
        "locals",
        "vars",
        "breakpoint",
    ]
)
_RUNNING_NAMES = frozenset(
    [
        "numpy.load",
        "numpy.fromfile",
        "torch.load",
        "pandas.read_pickle",
    ]
)
# The modules above have three parts at most; a pickle may name one with a million.
_MAX_PARENT_DEPTH = 4


def check_named(module: str, name: str) -> str:
    """Refuse a class or function by which a pickle would run commands.

    Args:
        module: The module that the pickle names.
        name: The class or function in it.

    Returns:
        The dotted path.

    Raises:
        ValueError: It is a way to run commands.
    """
    path = f"{module}.{name}"
    if _runs_commands(module, name):
        raise ValueError(f"it names {path[:100]!a}, which is no part of a model")
    return path


def _runs_commands(module: str, name: str) -> bool:
    if module in ("builtins", "__builtin__"):
        return name in _RUNNING_BUILTINS
    if f"{module}.{name}" in _RUNNING_NAMES:
        return True
    packages = module.split(".")
    depth = min(len(packages), _MAX_PARENT_DEPTH)
    parents = {".".join(packages[:end]) for end in range(1, depth + 1)}
    return not parents.isdisjoint(_RUNNING_MODULES)
