"""Small models with the structure of wise-ft's and model-soups', as those programs define them.

They pretend to be classes of modules that exist only while a file is written: within
``installed()`` the modules can be imported, afterwards nothing of them can be.
"""

import copy
import json
import sys
from collections import OrderedDict
from contextlib import contextmanager
from types import ModuleType

import torch
from PIL.Image import Resampling
from torch import nn

from stockpot.models.files import CONFIG as CONFIG_FILE
from stockpot.models.third_party import open_clip  # noqa: F401

# isort: split
# Importable once stockpot's open_clip is.
from torchvision.transforms import (
    CenterCrop,
    Compose,
    InterpolationMode,
    Normalize,
    Resize,
)

SIDE, PATCH, WIDTH, LAYERS, HEADS, FEATURES, CLASSES = 16, 8, 32, 2, 2, 12, 5
CONFIG = {
    "model_cfg": {
        "embed_dim": FEATURES,
        "quick_gelu": True,
        "vision_cfg": {
            "image_size": SIDE,
            "patch_size": PATCH,
            "width": WIDTH,
            "layers": LAYERS,
            "head_width": WIDTH // HEADS,
        },
        "text_cfg": {
            "context_length": 7,
            "vocab_size": 11,
            "width": 8,
            "heads": 2,
            "layers": 1,
        },
    }
}


class LayerNorm(nn.LayerNorm):
    pass


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class ResidualAttentionBlock(nn.Module):
    def __init__(self, width, heads, mask=None):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1 = LayerNorm(width)
        layers = [
            ("c_fc", nn.Linear(width, 4 * width)),
            ("gelu", QuickGELU()),
            ("c_proj", nn.Linear(4 * width, width)),
        ]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.ln_2 = LayerNorm(width)
        self.attn_mask = mask

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, mask=None):
        super().__init__()
        self.width = width
        blocks = [ResidualAttentionBlock(width, heads, mask) for _ in range(layers)]
        self.resblocks = nn.Sequential(*blocks)

    def forward(self, x):
        return self.resblocks(x)


class VisualTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_resolution, self.output_dim = SIDE, FEATURES
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(
            torch.randn((SIDE // PATCH) ** 2 + 1, WIDTH)
        )
        self.ln_pre = LayerNorm(WIDTH)
        self.transformer = Transformer(WIDTH, LAYERS, HEADS)
        self.ln_post = LayerNorm(WIDTH)
        self.proj = nn.Parameter(torch.randn(WIDTH, FEATURES) / 6)
        for norm in (self.ln_pre, self.ln_post):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)

    def forward(self, x):
        x = self.conv1(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)
        x = self.ln_pre(x + self.positional_embedding)
        x = self.transformer(x.permute(1, 0, 2)).permute(1, 0, 2)
        return self.ln_post(x[:, 0]) @ self.proj


class CLIP(nn.Module):
    def __init__(self):
        super().__init__()
        self.context_length = 7
        self.visual = VisualTransformer()
        self.transformer = Transformer(
            8, 1, 2, torch.full((7, 7), float("-inf")).triu_(1)
        )
        self.token_embedding = nn.Embedding(11, 8)
        self.positional_embedding = nn.Parameter(torch.randn(7, 8))
        self.ln_final = LayerNorm(8)
        self.text_projection = nn.Parameter(torch.randn(8, FEATURES))
        self.logit_scale = nn.Parameter(torch.tensor(2.6))

    def forward(self, image):
        return self.visual(image)


def _convert_to_rgb(image):
    return image.convert("RGB")


class ImageEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = CLIP()
        normalise = Normalize((0.48, 0.46, 0.41), (0.27, 0.26, 0.28))
        steps = [
            Resize(SIDE, InterpolationMode.BICUBIC),
            CenterCrop(SIDE),
            _convert_to_rgb,
        ]
        self.train_preprocess = Compose([*steps, normalise])
        self.val_preprocess = Compose([*steps, normalise])
        self.cache_dir, self.filter, self.device = (
            None,
            Resampling.BICUBIC,
            torch.device("cpu"),
        )
        del self.model.transformer


class ClassificationHead(nn.Linear):
    def __init__(self, normalize):
        super().__init__(FEATURES, CLASSES)
        self.normalize = normalize


class ImageClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.image_encoder = ImageEncoder()
        self.classification_head = ClassificationHead(normalize=True)
        self.process_images = True
        self.train_preprocess = self.image_encoder.train_preprocess
        self.val_preprocess = self.image_encoder.val_preprocess

    def features(self, images):
        return self.image_encoder.model.visual(images)


class ModelWrapper(nn.Module):
    """As model-soups' utils define it; only its state dicts are ever saved."""

    def __init__(self):
        super().__init__()
        self.model = CLIP()
        self.classification_head = nn.Linear(FEATURES, CLASSES)
        del self.model.transformer

    def features(self, images):
        return self.model.visual(images)


HOMES = {
    "src.models.modeling": [ImageEncoder, ClassificationHead, ImageClassifier],
    "clip.model": [
        LayerNorm,
        QuickGELU,
        ResidualAttentionBlock,
        Transformer,
        VisualTransformer,
        CLIP,
    ],
    "clip.clip": [_convert_to_rgb],
}
for _home, _members in HOMES.items():
    for _member in _members:
        _member.__module__ = _home


@contextmanager
def installed():
    """The programs' modules, importable for as long as a file is being written."""
    names = {"src", "src.models", "clip", *HOMES}
    modules = {name: ModuleType(name) for name in names}
    for home, members in HOMES.items():
        for member in members:
            setattr(modules[home], member.__name__, member)
    assert not names & set(sys.modules)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def hub_folder(folder, **text):
    config = copy.deepcopy(CONFIG)
    config["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "hub/words", **text}
    folder.mkdir()
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    return folder
