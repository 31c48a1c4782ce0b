"""LiNeS: the depth of every tensor, and the share of its update."""

import pytest

from stockpot.merging.coefficients import coefficient_at
from stockpot.merging.methods.lines import scales_by_depth
from stockpot.runtime.errors import StockpotError
from tests.support.merge_methods import (
    SHAPES,
    all_close,
    recipe_and_tensors,
    updates_of,
)


def test_lines_scales_updates_by_depth(random_models):
    recipe, found = recipe_and_tensors(
        random_models, "lines", "a", first_block=0.2, last_block=1.0
    )
    shares = {
        "visual.conv1.weight": 0.2,
        "visual.blocks.0.w": 0.2,
        "visual.blocks.1.w": 1.0,
        "visual.ln_post.bias": 1.0,
        "head.weight": 1.0,
    }
    (update,) = updates_of(random_models, "a")
    assert all_close(
        found, {n: random_models["start"][n] + shares[n] * update[n] for n in SHAPES}
    )
    assert all(
        coefficient_at(recipe["ingredients"]["sha-a"], n) == shares[n] for n in SHAPES
    )


def test_lines_with_one_share_is_wise_ft(random_models):
    recipe, _ = recipe_and_tensors(
        random_models, "lines", "a", first_block=0.5, last_block=0.5
    )
    assert recipe["ingredients"] == {"sha-a": 0.5, "start": 0.5}


# Tensors of a few layers in open_clip's and timm's names, and the share of the update that each
# keeps from a first of 0 to a last of 1.
DEPTHS = {
    "CLIP's ViT": {
        "class_embedding": 0,
        "positional_embedding": 0,
        "conv1.weight": 0,
        "ln_pre.bias": 0,
        "transformer.resblocks.0.ln_1.bias": 0,
        "transformer.resblocks.1.ln_1.bias": 0.5,
        "transformer.resblocks.2.ln_1.bias": 1,
        "ln_post.bias": 1,
        "proj": 1,
    },
    "CLIP's ResNet": {
        "conv1.weight": 0,
        "bn1.bias": 0,
        "conv2.weight": 0,
        "bn2.bias": 0,
        "conv3.weight": 0,
        "bn3.running_mean": 0,
        "layer1.0.bn2.bias": 0,
        "layer1.1.conv1.weight": 1 / 3,
        "layer2.0.bn3.bias": 2 / 3,
        "layer2.1.bn3.bias": 1,
        "attnpool.q_proj.weight": 1,
    },
    "ConvNeXt": {
        "trunk.stem.0.weight": 0,
        "trunk.stem.1.bias": 0,
        "trunk.stages.0.blocks.0.gamma": 0,
        "trunk.stages.1.blocks.2.gamma": 1 / 3,
        "trunk.stages.2.downsample.0.bias": 2 / 3,
        "trunk.stages.3.blocks.1.gamma": 1,
        "trunk.head.norm.bias": 1,
        "head.proj.weight": 1,
    },
    "SigLIP's ViT": {
        "trunk.pos_embed": 0,
        "trunk.cls_token": 0,
        "trunk.reg_token": 0,
        "trunk.patch_embed.proj.weight": 0,
        "trunk.norm_pre.bias": 0,
        "trunk.blocks.0.norm1.bias": 0,
        "trunk.blocks.1.norm1.bias": 0.5,
        "trunk.blocks.2.norm1.bias": 1,
        "trunk.norm.bias": 1,
        "trunk.attn_pool.latent": 1,
    },
    "a trunk with tensors of its own on both sides": {
        "trunk.pos_embed": 0,
        "trunk.blocks.0.w": 0,
        "trunk.blocks.1.w": 1,
        "trunk.scale": 1,
    },
    "a deep stem": {
        "conv1.0.weight": 0,
        "conv1.6.weight": 0,
        "bn1.bias": 0,
        "layer1.0.conv1.weight": 0,
        "layer2.0.conv1.weight": 0.5,
        "layer3.0.conv1.weight": 1,
    },
    "EfficientNet": {
        "conv_stem.weight": 0,
        "bn1.bias": 0,
        "blocks.0.0.bn2.bias": 0,
        "blocks.1.0.bn2.bias": 0.5,
        "blocks.2.0.bn2.bias": 1,
        "conv_head.weight": 1,
        "bn2.bias": 1,
    },
    "ten blocks and more": {f"blocks.{i}.w": i / 10 for i in range(11)},
    "a hybrid": {
        "patch_embed.backbone.stages.0.w": 0,
        "patch_embed.backbone.stages.1.w": 0,
        "blocks.0.w": 0,
        "blocks.1.w": 1,
        "final_conv.kxk.0.weight": 1,
    },
}


@pytest.mark.parametrize("architecture", DEPTHS)
def test_lines_knows_the_depth_of_every_tensor(architecture):
    expected = {f"visual.{name}": share for name, share in DEPTHS[architecture].items()}
    expected |= {"head.weight": 1, "head.bias": 1}
    found = scales_by_depth(list(expected), 0.0, 1.0)
    assert {
        name: coefficient_at({"": 1.0} | found, name) for name in expected
    } == pytest.approx(expected)
    assert list(scales_by_depth(list(expected)[::-1], 0.0, 1.0)) == list(found)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["s1.b1.conv1.weight", "s2.b1.conv1.weight"], "this model has none"),
        (["blocks.0.w"], "this model has none"),
        (
            ["blocks.0.w", "blocks.1.w", "other.0.w"],
            "visual.blocks.#., visual.other.#.",
        ),
    ],
)
def test_lines_refuses_a_model_that_does_not_tell_its_depth(names, words):
    with pytest.raises(StockpotError, match="lines: the depth") as error:
        scales_by_depth([f"visual.{name}" for name in names], 0.0, 1.0)
    assert words in str(error.value)
    assert len(str(error.value)) < 500
