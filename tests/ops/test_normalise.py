import numpy as np
import pytest
import torch

from pellucid.core.errors import DataError
from pellucid.core.preprocess import Preprocess
from pellucid.ops import normalise as module
from pellucid.ops.normalise import normalise

SHIFT = {1: (72.9,), 3: (123.7, 116.3, 103.5)}
SCALE = {1: (1 / 90.0,), 3: (1 / 58.4, 1 / 57.1, 1 / 57.4)}


def picture(n: int, c: int, h: int, w: int) -> torch.Tensor:
    pixels = torch.randint(0, 256, (n, h, w, c), dtype=torch.uint8, generator=torch.Generator().manual_seed(n + c + h))
    return pixels.permute(0, 3, 1, 2)


def preprocess(c: int, size: tuple[int, int], mean_image: np.ndarray | None = None) -> Preprocess:
    return Preprocess(size, channels=c, shift=SHIFT[c], scale=SCALE[c], mean_image=mean_image)


def plain(image: torch.Tensor, c: int) -> torch.Tensor:
    """The formula in double precision."""
    shift, scale = (torch.tensor(values, dtype=torch.float64).view(1, c, 1, 1) for values in (SHIFT[c], SCALE[c]))
    return (image.double() - shift) * scale


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (7, 3, 9, 13), (1, 3, 1, 1), (40, 3, 101, 103), (0, 3, 5, 5)])
def test_equals_the_plain_formula(shape):
    image = picture(*shape)
    c = shape[1]
    found = normalise(image, preprocess(c, shape[2:]))
    assert found.dtype is torch.float32
    torch.testing.assert_close(found.double(), plain(image, c), rtol=0, atol=1e-6)


def test_result_is_channels_last_whatever_comes_in():
    image = picture(2, 3, 6, 5)
    for given in (image, image.contiguous()):
        found = normalise(given, preprocess(3, (6, 5)))
        assert found.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(found.double(), plain(image, 3), rtol=0, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 1000, 10**9])
def test_chunks_do_not_show(chunk, monkeypatch):
    image = picture(5, 3, 20, 30)
    expected = normalise(image, preprocess(3, (20, 30)))
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert torch.equal(normalise(image, preprocess(3, (20, 30))), expected)


def test_bfloat16_is_the_rounded_float32():
    image = picture(9, 3, 50, 40)
    exact = normalise(image, preprocess(3, (50, 40)))
    found = normalise(image, preprocess(3, (50, 40)), torch.bfloat16)
    assert found.dtype is torch.bfloat16
    assert torch.equal(found, exact.bfloat16())


@pytest.mark.parametrize("c", [1, 3])
def test_mean_image_is_taken_off_pixel_by_pixel(c):
    image = picture(4, c, 7, 6)
    mean = np.random.default_rng(0).uniform(0, 255, (c, 7, 6)).astype(np.float32)
    found = normalise(image, preprocess(c, (7, 6), mean))
    expected = (image.double() - torch.from_numpy(mean)) * torch.tensor(SCALE[c], dtype=torch.float64).view(1, c, 1, 1)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-6)


def test_constant_mean_image_equals_channel_mean():
    image = picture(3, 3, 8, 8)
    constant = np.broadcast_to(np.array(SHIFT[3], np.float32)[:, None, None], (3, 8, 8))
    assert torch.equal(normalise(image, preprocess(3, (8, 8), constant)), normalise(image, preprocess(3, (8, 8))))


def test_floats_take_gradients():
    image = picture(2, 3, 4, 5).float().requires_grad_()
    normalise(image, preprocess(3, (4, 5))).sum().backward()
    torch.testing.assert_close(image.grad, torch.tensor(SCALE[3]).view(1, 3, 1, 1).expand(2, 3, 4, 5))


def test_results_of_two_calls_are_apart():
    images = [picture(9, 3, 200, 200) * 0 + k for k in range(4)]
    found = [normalise(image, preprocess(3, (200, 200))) for image in images]
    for image, x in zip(images, found, strict=True):
        torch.testing.assert_close(
            x[0, 0, 0, 0].double(), plain(image[:1, :, :1, :1], 3)[0, 0, 0, 0], rtol=0, atol=1e-6
        )


def test_errors_say_both_numbers():
    with pytest.raises(DataError, match=r"^The network takes 3 channels, got pictures with 1\.$"):
        normalise(picture(1, 1, 4, 4), preprocess(3, (4, 4)))
    with pytest.raises(DataError, match=r"^The mean image has shape \(3, 4, 4\), got pictures of 5x4 pixels\.$"):
        normalise(picture(1, 3, 5, 4), preprocess(3, (4, 4), np.zeros((3, 4, 4), np.float32)))
