"""Up-sampling layers against their NumPy twins, forward and backward, and against torch's own."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.nn.upsampling.average_unpool import AverageUnpool, average_unpool
from pellucid.nn.upsampling.bed_of_nails import BedOfNails, bed_of_nails
from pellucid.nn.upsampling.bilinear_transposed import BilinearTransposed, bilinear_kernel
from pellucid.nn.upsampling.max_unpool import MaxUnpool, SwitchedMaxPool, max_unpool
from pellucid.scratch.convolution.transposed import conv_transpose_backward, conv_transpose_forward
from pellucid.scratch.pooling.average_unpool import average_unpool_backward, average_unpool_forward
from pellucid.scratch.pooling.max import max_pool_positions
from pellucid.scratch.pooling.max_unpool import (
    bed_of_nails_backward,
    bed_of_nails_forward,
    max_unpool_backward,
    max_unpool_forward,
)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def gradient(out: Tensor, x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What comes back, and what was sent."""
    dout = drawn(*out.shape, seed=9).detach()
    (dx,) = torch.autograd.grad(out, x, dout)
    return dx.numpy(), dout.numpy()


# ---------------------------------------------------------------------------------------------- bed of nails


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_bed_of_nails_equals_its_numpy_twin(scale: int):
    x = drawn(2, 3, 4, 5)
    out = BedOfNails(scale)(x)
    wanted, cache = bed_of_nails_forward(x.detach().numpy(), scale)
    np.testing.assert_array_equal(out.detach().numpy(), wanted)
    dx, dout = gradient(out, x)
    np.testing.assert_array_equal(dx, bed_of_nails_backward(dout, cache))


def test_bed_of_nails_of_the_lecture():
    x = torch.tensor([[[[1.0, 2], [3, 4]]]])
    assert bed_of_nails(x, 2)[0, 0].tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]


def test_bed_of_nails_refuses():
    with pytest.raises(DataError, match=r"x must be \(N, C, H, W\) and scale 1 or more, got \(2, 2\) and 2"):
        bed_of_nails(torch.zeros(2, 2), 2)
    with pytest.raises(ConfigError, match="scale must be 1 or more, got 0"):
        BedOfNails(0)


# ------------------------------------------------------------------------------------------------ max unpool


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size"), [(2, 2, 0, (6, 8)), (3, 2, 1, (7, 6)), (3, 1, 0, (5, 5))]
)
def test_max_unpool_equals_its_numpy_twin(kernel: int, stride: int, padding: int, size: tuple[int, int]):
    picture = drawn(2, 3, *size).detach()
    maxima, switches = SwitchedMaxPool(kernel, stride, padding)(picture)
    settings = {"pool_height": kernel, "pool_width": kernel, "stride": stride, "pad": padding}
    np.testing.assert_array_equal(switches.numpy(), max_pool_positions(picture.numpy(), settings))
    x = drawn(*maxima.shape, seed=3)
    out = MaxUnpool()(x, switches, picture.shape)
    wanted, cache = max_unpool_forward(x.detach().numpy(), switches.numpy(), size)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-14)
    dx, dout = gradient(out, x)
    np.testing.assert_array_equal(dx, max_unpool_backward(dout, cache))


def test_max_unpool_is_torch_s_where_windows_do_not_overlap():
    maxima, switches = SwitchedMaxPool(2)(torch.randn(2, 3, 7, 6))
    assert torch.equal(max_unpool(maxima, switches, (7, 6)), F.max_unpool2d(maxima, switches, 2, output_size=(7, 6)))


def test_max_unpool_is_the_backward_of_max_pooling_even_where_windows_overlap():
    x = drawn(1, 2, 6, 6)
    out, switches = F.max_pool2d(x, 3, 1, return_indices=True)
    dx, dout = gradient(out, x)
    assert len(switches.unique()) < switches[0, 0].numel()  # some maxima are shared
    np.testing.assert_allclose(max_unpool(torch.from_numpy(dout), switches, (6, 6)).numpy(), dx, atol=1e-14)


def test_max_unpool_refuses_switches_from_elsewhere():
    x, switches = torch.zeros(1, 1, 2, 2), torch.tensor([[[[0, 3], [8, 11]]]])
    with pytest.raises(DataError, match="switches must be 0 to 8 in maps of 3 x 3, got 0 to 11"):
        max_unpool(x, switches, (3, 3))
    with pytest.raises(DataError, match=r"must both be \(N, C, H, W\), got \(1, 1, 2, 2\) and \(1, 1, 1, 2\)"):
        max_unpool(x, switches[:, :, :1], (4, 4))


# -------------------------------------------------------------------------------------------- average unpool


@pytest.mark.parametrize("keep", ["sum", "mean"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size"),
    [(2, 2, 0, None), (3, 3, 0, (10, 11)), (3, 2, 1, (7, 8)), (3, 2, 0, None), (2, 3, 0, (7, 6))],
)
def test_average_unpool_equals_its_numpy_twin(
    keep: str, kernel: int, stride: int, padding: int, size: tuple[int, int] | None
):
    pooled = F.avg_pool2d(torch.zeros(1, 1, *size), kernel, stride, padding).shape[2:] if size else (3, 4)
    x = drawn(2, 3, *pooled)
    out = AverageUnpool(kernel, stride, padding, keep)(x, size)
    settings = {"pool_height": kernel, "pool_width": kernel, "stride": stride, "pad": padding}
    wanted, cache = average_unpool_forward(x.detach().numpy(), settings, size, keep)
    if (
        keep == "mean" and padding
    ):  # NumPy's divisor counts windows as far as they lie in the padded map, all whole here
        assert out.shape == wanted.shape
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-12)
    dx, dout = gradient(out, x)
    np.testing.assert_allclose(dx, average_unpool_backward(dout, cache), atol=1e-12)


def test_average_unpool_is_taken_back_or_keeps_the_sum():
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(F.avg_pool2d(average_unpool(x, 3, keep="mean"), 3), x)
    torch.testing.assert_close(average_unpool(x, 3).sum((2, 3)), x.sum((2, 3)))
    torch.testing.assert_close(average_unpool(x, 2, keep="mean"), F.interpolate(x, scale_factor=2, mode="nearest"))


def test_average_unpool_refuses():
    x = torch.zeros(1, 1, 2, 2)
    with pytest.raises(
        DataError, match=r"maps of \(9, 4\) with kernel 2, stride 2 and padding 0 does not give \(2, 2\)"
    ):
        average_unpool(x, 2, size=(9, 4))
    with pytest.raises(DataError, match=r"x must be \(N, C, H, W\), got \(2, 2\)"):
        average_unpool(x[0, 0], 2)
    with pytest.raises(ConfigError, match="Unknown keep 'max'"):
        AverageUnpool(2, keep="max")


# ---------------------------------------------------------------------------------------- bilinear transposed


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("across", [False, True])
def test_the_start_is_bilinear_interpolation_away_from_the_border(scale: int, across: bool):
    layer, x = BilinearTransposed(2, scale, across=across), torch.randn(2, 2, 6, 7)
    assert layer.kernel_size == (2 * scale - scale % 2,) * 2
    out, wanted = layer(x), F.interpolate(x, scale_factor=scale, mode="bilinear")
    assert out.shape == wanted.shape
    edge = scale  # more than half the kernel
    inner = (..., slice(edge, -edge), slice(edge, -edge))
    torch.testing.assert_close(out[inner], wanted[inner])
    if scale > 1:
        assert (out - wanted).abs().max() > 1e-3  # at the border zeros come in


def test_the_kernel_is_a_tent_whose_shares_sum_to_one():
    torch.testing.assert_close(bilinear_kernel(2)[0] / bilinear_kernel(2)[0, 0], torch.tensor([1.0, 3, 3, 1]))
    for scale in range(1, 9):
        kernel = bilinear_kernel(scale)
        shares = BilinearTransposed(1, scale)(torch.ones(1, 1, 5, 5))[0, 0, scale:-scale, scale:-scale]
        torch.testing.assert_close(shares, torch.ones_like(shares))
        assert kernel.sum().item() == pytest.approx(scale**2)
    with pytest.raises(ConfigError, match="scale must be 1 or more, got 0"):
        bilinear_kernel(0)


def test_it_equals_the_numpy_transposed_convolution_and_learns():
    layer = BilinearTransposed(3, 2, across=True).double()
    x = drawn(2, 3, 4, 5)
    out = layer(x)
    settings = {"stride": 2, "pad": 1}
    wanted, cache = conv_transpose_forward(x.detach().numpy(), layer.weight.detach().numpy(), np.zeros(3), settings)
    np.testing.assert_allclose(out.detach().numpy(), wanted, atol=1e-12)
    dout = drawn(*out.shape, seed=5).detach()
    dx, dw = torch.autograd.grad(out, [x, layer.weight], dout)
    wanted_dx, wanted_dw, _ = conv_transpose_backward(dout.numpy(), cache)
    np.testing.assert_allclose(dx.numpy(), wanted_dx, atol=1e-12)
    np.testing.assert_allclose(dw.numpy(), wanted_dw, atol=1e-12)


def test_it_may_be_frozen_and_its_state_is_plain():
    layer = BilinearTransposed(4, 2, learnable=False)
    assert not layer.weight.requires_grad
    assert layer.state_dict().keys() == nn.ConvTranspose2d(4, 4, 4, bias=False).state_dict().keys()


def test_bilinear_transposed_stays_in_fp32_where_bf16_is_slow() -> None:
    """On a processor, channel by channel, torch takes many times as long in bf16."""
    up, x = BilinearTransposed(3, 4), torch.randn(2, 3, 5, 6)
    expected = up(x)
    with torch.autocast("cpu", torch.bfloat16):
        found = up(x.bfloat16())
        mixed = BilinearTransposed(3, 4, across=True)(x)
    assert found.dtype == torch.float32 and mixed.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, rtol=0, atol=0.03)
