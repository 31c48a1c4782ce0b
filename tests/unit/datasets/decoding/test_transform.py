"""Tests that images have the pixels that open_clip gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.datasets.decoding.decode import decode
from stockpot.datasets.decoding.transform import Transform
from stockpot.runtime.errors import StockpotError
from tests.support.drawn_images import KINDS, MODES, Drawn, encoded, noise


def pixels_of_open_clip(image, transform):
    """What open_clip's own transform makes; None where it fails."""
    from stockpot.models.third_party import open_clip

    own = open_clip.image_transform(
        transform.side,
        is_train=False,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        fill_color=transform.fill,
        resize_mode=transform.resize_mode,
        interpolation=transform.interpolation,
    )
    try:
        with image.open() as opened:
            made = own(opened)
    except (ValueError, OSError, ZeroDivisionError):
        return None
    return (made * 255).round().byte().permute(1, 2, 0).numpy()


def decoded_or_refused(image, transform):
    try:
        return decode(image, transform)
    except StockpotError as error:
        refusal = str(error)
    assert refusal.startswith(f"{image.name}: ")
    assert "\n" not in refusal
    return None


def has_pixels_of_open_clip(image, transform):
    """Both make the same pixels, or both refuse."""
    made, expected = (
        decoded_or_refused(image, transform),
        pixels_of_open_clip(image, transform),
    )
    if expected is None or made is None:
        return made is expected
    assert made.dtype == expected.dtype
    assert made.shape == expected.shape
    return bool((made == expected).all())


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_file_has_the_pixels_that_open_clip_gives_it(kind, mode):
    for width, height in ((51, 40), (40, 91), (20, 20)):
        image = encoded(kind, width, height)
        for interpolation in ("bicubic", "bilinear"):
            for fill in (0, 200) if mode == "longest" else (0,):
                transform = Transform(32, mode, interpolation, fill)
                assert pixels_of_open_clip(image, transform) is not None
                assert has_pixels_of_open_clip(image, transform), (
                    width,
                    height,
                    interpolation,
                    fill,
                )


SIZES = [
    (1, 1),
    (1, 7),
    (2, 3),
    (32, 32),
    (33, 31),
    (37, 411),
    (400, 65),
    (500, 3),
    (3, 500),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_every_size_has_the_pixels_that_open_clip_gives_it(size, mode):
    for kind in ("jpeg", "png palette", "png alpha"):
        for side, interpolation in ((32, "bicubic"), (32, "bilinear"), (33, "bicubic")):
            assert has_pixels_of_open_clip(
                encoded(kind, *size), Transform(side, mode, interpolation)
            ), (
                kind,
                side,
            )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(4200, 31), (250, 190), (5, 224), (600, 3)], ids=str)
def test_large_sides_have_the_pixels_that_open_clip_gives_them(size, mode):
    assert has_pixels_of_open_clip(encoded("jpeg", *size), Transform(224, mode))


@pytest.mark.slow
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.integers(1, 40),
    st.sampled_from(MODES),
    st.sampled_from(["bicubic", "bilinear"]),
    st.sampled_from(["L", "RGB", "LA", "RGBA", "CMYK"]),
    st.integers(0, 255),
)
def test_any_size_has_the_pixels_that_open_clip_gives_it(
    size, side, mode, interpolation, bands, fill
):
    assert has_pixels_of_open_clip(
        Drawn(noise(*size, bands)), Transform(side, mode, interpolation, fill)
    )


def test_what_the_files_of_these_tests_are():
    """They are what their names say, so that none is tested twice in place of another."""
    opened = {kind: encoded(kind, 20, 30).open() for kind in KINDS}
    modes = {kind: image.mode for kind, image in opened.items()}
    assert set(modes.values()) == {"RGB", "L", "CMYK", "LA", "RGBA", "P", "1"}
    assert opened["jpeg turned"].getexif()[0x0112] == 6
    assert opened["jpeg progressive"].info["progressive"]
    assert {k for k, image in opened.items() if "transparency" in image.info} == {
        "png palette, one colour clear",
        "png palette, alphas",
        "png one colour clear",
    }


def test_a_side_that_would_have_no_pixels_is_refused():
    """So does open_clip: 3 of 500 pixels are less than half a pixel of 32."""
    image = encoded("png", 500, 3)
    assert pixels_of_open_clip(image, Transform(32, "longest")) is None
    with pytest.raises(StockpotError, match="^png: cannot be resized"):
        decode(image, Transform(32, "longest"))


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1), (603, 3)], ids=str)
def test_a_thin_image_does_not_take_gigabytes(size):
    """Its shorter side would be the model's, and the longer one 60,000 times that."""
    image = Drawn(noise(*size), "thin.png")
    size_and_limit = r"\d+ x \d+ pixels, more than 200 times as long as wide"
    said = rf"^thin\.png: cannot be resized \({size_and_limit}\)$"
    with pytest.raises(StockpotError, match=said):
        decode(image, Transform(224))
    for mode in {*MODES} - {"shortest"} if 3 in size else {"squash"}:
        assert decode(image, Transform(224, mode)).shape == (224, 224, 3)
