"""Checkpoints in the layouts of other programs, and whether tensors came back."""

import pickle

import torch

from tests.support import third_party_checkpoints as foreign


def same_tensors(found, expected) -> bool:
    return list(found) == list(expected) and all(
        found[name].dtype == expected[name].dtype
        and torch.equal(found[name], expected[name])
        for name in expected
    )


def write_checkpoint(content, path, way, protocol=2) -> None:
    with foreign.installed(), open(path, "wb") as file:
        if way == "pickle":
            pickle.dump(content, file, protocol)
        else:
            torch.save(
                content,
                file,
                pickle_protocol=protocol,
                _use_new_zipfile_serialization=way == "zip",
            )


def head_state(prefix="", head="classification_head.", features=2, classes=3, **more):
    found = {f"{prefix}visual.proj": torch.ones(4, features)}
    if head:
        found |= {
            f"{head}weight": torch.ones(classes, features),
            f"{head}bias": torch.ones(classes),
        }
    return found | more


class Attributes(dict):
    """As Lightning's AttributeDict: a dict with attributes."""

    __getattr__ = dict.__getitem__
