"""What a checkpoint's pickle may name.

Nothing that is named here is ever imported: the lists decide which files are taken for models
at all, so that a file with anything else in it is refused instead of half understood.
"""

STORAGES = {
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
}
ORDERED = "collections.OrderedDict"
STORED = "torch.storage._load_from_bytes"
TENSORS = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
# What protocol 2 makes of bytes and sets.
ENCODED = "_codecs.encode"
SETS = ("builtins.set", "__builtin__.set")
SCRIPTED = "__torch__."

NAMES = frozenset(
    (ORDERED, STORED, ENCODED, *TENSORS, *PARAMETERS, *SETS, *STORAGES)
    + tuple(f"torch.{dtype}" for dtype in STORAGES.values())
    + ("torch.Size", "torch.device", "functools.partial", "argparse.Namespace")
    + ("PIL.Image.Resampling", "numpy.dtype")
    + ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    + tuple(f"torch.jit._pickle.build_{kind}list" for kind in ("int", "double", "bool", "tensor"))
    + ("torch.jit._pickle.restore_type_tag",)
)
PACKAGES = (
    "src.", "clip.", "open_clip.", "timm.", "torch.nn.", "torchvision.transforms.", SCRIPTED,
)  # fmt: skip


def check_named(module: str, name: str) -> str:
    """The dotted path of a global; raises ValueError for one that models do not hold."""
    path = f"{module}.{name}"
    # A dotted name asks for an attribute of an attribute: a way out of any package.
    if path not in NAMES and ("." in name or not path.startswith(PACKAGES)):
        raise ValueError(f"it names {path[:100]!a}, which is no part of a model")
    return path


def check_called(path: str) -> str:
    """The path again; raises ValueError for a function of a package, which models only mention."""
    if path not in NAMES and not path.rpartition(".")[2].lstrip("_")[:1].isupper():
        raise ValueError(f"it calls {path[:100]!a}, which is no part of a model")
    return path
