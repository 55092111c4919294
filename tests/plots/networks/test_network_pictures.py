"""Networks as boxes, and receptive fields on pictures."""

import re
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.plots.networks.blocks import Block, draw_blocks
from pellucid.plots.networks.receptive_field import FRAME, draw_receptive_field

BLOCKS = [
    Block("picture", (3, 224, 224), "picture"),
    Block("conv1", (64, 112, 112), "convolution", "1 layer"),
    Block("pool", (64, 56, 56), "pooling"),
    Block("tokens", (197, 768), "other"),
    Block("fc", (1000,), "fully connected", "1 layer"),
]


def test_every_size_is_written_and_nothing_leaves_the_sheet() -> None:
    drawing = draw_blocks(BLOCKS, "net <1>", "2 layers")
    text = drawing.svg()
    for words in ("3x224x224", "64x112x112", "197x768", ">1000<", "net &lt;1&gt;", "fully connected"):
        assert words in text
    corners = [corner for face in drawing.faces for corner in face.corners]
    assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in corners)
    assert len(drawing.faces) == 3 * len(BLOCKS) + len({block.kind for block in BLOCKS})


def test_boxes_do_not_overlap() -> None:
    faces = draw_blocks(BLOCKS, "net").faces[: 3 * len(BLOCKS)]
    spans = [
        (
            min(x for face in faces[i : i + 3] for x, _ in face.corners),
            max(x for face in faces[i : i + 3] for x, _ in face.corners),
        )
        for i in range(0, len(faces), 3)
    ]
    assert all(right < left for (_, right), (left, _) in pairwise(spans))


def test_a_map_of_half_the_side_is_lower_by_the_root_of_two() -> None:
    faces = draw_blocks(BLOCKS, "net").faces
    tall, low = ((max(y for _, y in face.corners) - min(y for _, y in face.corners)) for face in (faces[3], faces[6]))
    assert tall / low == pytest.approx(2**0.5)


def test_pixels_and_text_have_the_same_size() -> None:
    drawing = draw_blocks(BLOCKS[:2], "net")
    image = drawing.image(scale=1)
    assert image.size == (round(drawing.width), round(drawing.height))
    assert image.getextrema() != ((255, 255),) * 3
    assert re.search(r'viewBox="0 0 [\d.]+ [\d.]+"', drawing.svg())


@pytest.mark.parametrize("blocks", [[], [Block("odd", ())], [Block("none", (0, 3, 3))]])
def test_nothing_to_draw(blocks: list[Block]) -> None:
    with pytest.raises(DataError, match="one or more blocks, each with a shape of positive numbers"):
        draw_blocks(blocks, "net")


def test_the_field_is_framed_and_the_rest_is_dimmed() -> None:
    image = Image.new("RGB", (64, 64), (10, 60, 200))
    weights = np.zeros((64, 64))
    weights[16:32, 16:48] = 1
    drawn = draw_receptive_field(image, weights, (16, 16, 32, 48))
    assert drawn.size == (640, 640)
    assert drawn.getpixel((160, 200)) == FRAME and drawn.getpixel((478, 200)) == FRAME
    outside, inside = drawn.getpixel((20, 20)), drawn.getpixel((300, 240))
    assert len(set(outside)) == 1 and outside[0] > 150  # grey, and light
    assert inside[0] > inside[2]  # tinted
    assert draw_receptive_field(image, weights, (16, 16, 32, 48), "a caption").height > drawn.height


def test_a_field_larger_than_the_picture_is_framed_at_its_border() -> None:
    image = Image.new("L", (20, 10), 100)
    drawn = draw_receptive_field(image, np.ones((10, 20)), (-30, -30, 50, 50))
    assert drawn.size == (640, 320)
    assert drawn.getpixel((0, 100)) == drawn.getpixel((639, 100)) == FRAME


@pytest.mark.parametrize(
    ("weights", "said"),
    [(np.ones((3, 4)), "The picture is 4x4 px, but the field (3, 4)."), (np.zeros((4, 4)), "weights of 0 or more")],
)
def test_what_is_refused(weights: np.ndarray, said: str) -> None:
    with pytest.raises(DataError) as caught:
        draw_receptive_field(Image.new("RGB", (4, 4)), weights, (0, 0, 4, 4))
    assert said in str(caught.value)
