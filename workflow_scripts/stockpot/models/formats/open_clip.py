"""A CLIP model that open_clip loads as ``local-dir:<folder>``, and the head beside it.

Its image tower is the classifier's, its text side that of the study's CLIP model, whose own
vocabulary, where it has one, lies there too. The logits are ``normalised image features @ weight.T
+ bias`` of head.safetensors, whose rows are the classes of classes.txt. The config names the
vocabulary by its full path, as open_clip looks for it from where a program runs.
"""

import json
import shutil

from ...runtime.atomic_files import atomic
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from . import Format

FILES = (
    "open_clip_config.json",
    "open_clip_model.safetensors",
    "head.safetensors",
    "classes.txt",
)
FORMAT = Format(files=FILES)


def write(folder, weights, clip):
    from safetensors.torch import save_file

    from ..classifier import HEAD, TOWER
    from ..files import CONFIG, vocabulary
    from ..weights_file import load_weights

    config, whole = clip
    card = weights.card
    described = json.loads((config / CONFIG).read_text("utf-8"))
    own = card.architecture.get("config", {}).get("model_cfg")
    if own is None or own != described.get("model_cfg"):
        raise StockpotError(
            f"{card.name}: its architecture is not that of the study's CLIP model, so it has no "
            "text side; export it as classifier or state-dict"
        )
    tensors = load_weights(whole)
    for name in weights.names:
        if name.startswith(TOWER):
            tensors[name] = weights[name]
    head = {name: weights[HEAD + name].contiguous() for name in ("weight", "bias")}
    if words := vocabulary(described):
        shutil.copyfile(config / words, folder / words)
        options = described["model_cfg"]["text_cfg"]["tokenizer_kwargs"]
        options["bpe_path"] = str((folder / words).resolve())
    with atomic(folder / FILES[0]) as path:
        path.write_text(json.dumps(described, indent=2) + "\n", "utf-8")
    for file, content in ((FILES[1], tensors), (FILES[2], head)):
        with atomic(folder / file) as path:
            save_file(content, path)
    with atomic(folder / FILES[3]) as path:
        lines = [one_line(name, 10_000) for name in card.class_names]
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
