"""RoI Align against the definition, written with loops over numbers, ONNX's cases, closed forms and slopes."""

import importlib
import math

import numpy as np
import pytest
import torch
from onnx.backend.test.case import node as onnx_cases
from onnx.helper import get_attribute_value
from torch import Tensor

from pellucid.core.errors import DataError
from pellucid.ops.regions import roi_align

both = pytest.mark.usefixtures("way")


def maps(dtype: torch.dtype = torch.float64, C: int = 3, hw: tuple[int, int] = (9, 7)) -> Tensor:
    return torch.randn(2, C, *hw, generator=torch.Generator().manual_seed(1), dtype=dtype)


def regions(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """For maps of stride 4, of pictures of 36 x 28: inside, across borders, far beside, narrow, without area."""
    boxes = [[2.0, 3, 17, 31], [-9, -6, 14, 9], [20, 25, 60, 70], [4, 4, 4.5, 30], [7, 7, 7, 7], [90, 90, 120, 99]]
    boxes += [[0, 0, 28, 36], [3.3, 8.1, 24.9, 29.7], [12, 8, 16, 12]]
    return torch.tensor(boxes, dtype=dtype), torch.tensor([0, 1, 0, 1, 0, 1, 1, 0, 0])


def value_at(plane: list[list[float]], y: float, x: float) -> float:
    """Between the four places around (y, x); 0 from one place beyond the border on."""
    h, w = len(plane), len(plane[0])
    if y < -1 or y > h or x < -1 or x > w:
        return 0.0
    y, x = min(max(y, 0.0), h - 1.0), min(max(x, 0.0), w - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
    v, u = y - top, x - left
    upper = (1 - u) * plane[top][left] + u * plane[top][right]
    lower = (1 - u) * plane[bottom][left] + u * plane[bottom][right]
    return (1 - v) * upper + v * lower


def by_definition(
    features: Tensor,
    boxes: Tensor,
    batch: Tensor,
    size: tuple[int, int],
    scale: float,
    ratio: int,
    aligned: bool,
    mode: str,
) -> Tensor:
    p, q = size
    values, result = features.tolist(), []
    for (x1, y1, x2, y2), n in zip((boxes * scale).tolist(), batch.tolist(), strict=True):
        left, top, wide, high = x1 - 0.5 * aligned, y1 - 0.5 * aligned, x2 - x1, y2 - y1
        if not aligned:
            wide, high = max(wide, 1.0), max(high, 1.0)
        down, across = ratio or max(1, math.ceil(high / p)), ratio or max(1, math.ceil(wide / q))
        for plane in values[n]:
            for i in range(p):
                for j in range(q):
                    samples = [
                        value_at(
                            plane,
                            top + high / p * (i + (a + 0.5) / down),
                            left + wide / q * (j + (b + 0.5) / across),
                        )
                        for a in range(down)
                        for b in range(across)
                    ]
                    result.append(max(samples) if mode == "max" else sum(samples) / len(samples))
    return torch.tensor(result, dtype=torch.float64).view(len(boxes), features.shape[1], p, q)


@both
@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize(
    ("ratio", "size"), [(2, (2, 3)), (1, (1, 1)), (3, (4, 2)), (0, (2, 3)), (0, (1, 1)), (0, (7, 7))]
)
def test_is_the_definition(ratio: int, size: tuple[int, int], aligned: bool, mode: str) -> None:
    features, (boxes, batch) = maps(), regions()
    expected = by_definition(features, boxes, batch, size, 0.25, ratio, aligned, mode)
    got = roi_align(features, boxes, batch, size, 0.25, ratio, aligned, mode)  # type: ignore[arg-type]
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)
    single = roi_align(features.float(), boxes.float(), batch, size, 0.25, ratio, aligned, mode)  # type: ignore[arg-type]
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=1e-5, atol=1e-5)


@both
def test_the_cases_of_onnx() -> None:
    state = np.random.get_state()  # noqa: NPY002 - the module seeds it
    importlib.import_module(f"{onnx_cases.__name__}.roialign")
    np.random.set_state(state)  # noqa: NPY002
    names = set()
    for case in onnx_cases._NodeTestCases:
        node = case.model.graph.node[0]
        values = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type != "RoiAlign" or values.get("mode", b"avg") != b"avg":  # its maximum is one of weighted places
            continue
        (inputs, (expected,)), *_ = case.data_sets
        features, boxes, batch = (torch.from_numpy(np.array(x)) for x in inputs)
        got = roi_align(
            features,
            boxes,
            batch,
            (values["output_height"], values["output_width"]),
            values["spatial_scale"],
            values["sampling_ratio"],
            aligned=values.get("coordinate_transformation_mode", b"half_pixel") == b"half_pixel",
        )
        torch.testing.assert_close(got, torch.from_numpy(expected), rtol=1e-4, atol=1e-4)
        names.add(case.name)
    assert len(names) >= 2


@both
def test_a_slope_is_read_off_at_the_middle_of_each_bin() -> None:
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    features = torch.stack([x + 0.5, y + 0.5])[None].double()  # the value of a place is where its middle lies
    box = torch.tensor([[8.0, 16, 40, 56]], dtype=torch.float64)  # at stride 4: x 2..10, y 4..14
    for ratio in (1, 2, 0):
        got = roi_align(features, box, torch.tensor([0]), (5, 4), 0.25, ratio)
        torch.testing.assert_close(got[0, 0, 0], torch.tensor([3.0, 5, 7, 9], dtype=torch.float64))
        torch.testing.assert_close(got[0, 1, :, 0], torch.tensor([5.0, 7, 9, 11, 13], dtype=torch.float64))


@both
def test_mean_and_maximum_of_four_samples_by_hand() -> None:
    features = torch.tensor([[0.0, 1, 2], [3, 4, 5], [6, 7, 8]])[None, None]
    box, batch = torch.tensor([[0.5, 0.5, 2.5, 2.5]]), torch.tensor([0])
    # samples lie at 0.5 and 1.5 down and across, the values there are 3 y + x
    assert roi_align(features, box, batch, 1, 1.0).item() == pytest.approx(4.0)
    assert roi_align(features, box, batch, 1, 1.0, mode="max").item() == pytest.approx(6.0)


@both
@pytest.mark.parametrize("mode", ["mean", "max"])
@pytest.mark.parametrize("ratio", [2, 0])
def test_gradients_of_features_and_boxes(ratio: int, mode: str) -> None:
    features, (boxes, batch) = maps(C=1), regions()
    boxes, batch = boxes[[0, 1, 7]] + 0.137, batch[[0, 1, 7]]  # off the places, where slopes have corners
    leaf, corners = features.clone().requires_grad_(), boxes.clone().requires_grad_()

    def align(f: Tensor, b: Tensor) -> Tensor:
        return roi_align(f, b, batch, (2, 3), 0.25, ratio, mode=mode)  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(lambda f: align(f, boxes), (leaf,), fast_mode=True)
    assert torch.autograd.gradcheck(align, (leaf, corners), fast_mode=True)
    (grad,) = torch.autograd.grad(align(features, corners).square().sum(), corners)
    assert (grad[[0, 2]] != 0).all()


@both
def test_both_ways_agree_in_values_and_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.ops import compiled

    generator = torch.Generator().manual_seed(3)
    features = torch.randn(2, 70, 12, 15, generator=generator)
    low = torch.rand(60, 2, generator=generator) * 50
    boxes = torch.cat([low, low + torch.rand(60, 2, generator=generator) * 40], 1)
    batch = torch.arange(60) % 2
    weight = torch.randn(60, 70, 7, 7, generator=generator)
    results = []
    for plain in (False, True):
        if plain:
            monkeypatch.setattr(compiled, "has_numba", lambda: False)
        for layout in (torch.contiguous_format, torch.channels_last):
            leaf = features.clone(memory_format=layout).requires_grad_()
            out = roi_align(leaf, boxes, batch, 7, 0.25)
            out.backward(weight.contiguous(memory_format=layout))
            results.append((out.detach(), leaf.grad))
    for out, grad in results[1:]:
        torch.testing.assert_close(out, results[0][0], rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(grad, results[0][1], rtol=1e-5, atol=1e-5)


@both
def test_threads_change_no_bit() -> None:
    features, (boxes, batch) = maps(torch.float32, C=96), regions(torch.float32)
    results, before = [], torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            leaf = features.clone().requires_grad_()
            out = roi_align(leaf, boxes, batch, 7, 0.25)
            out.square().sum().backward()
            results.append((out.detach(), leaf.grad))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-6, atol=1e-6)


@both
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    features, (boxes, batch) = maps(dtype), regions(torch.float32)
    leaf = features.clone().requires_grad_()
    out = roi_align(leaf, boxes, batch, 3, 0.25)
    assert out.dtype == dtype
    torch.testing.assert_close(out, roi_align(features.float(), boxes, batch, 3, 0.25).to(dtype))
    out.sum().backward()
    assert leaf.grad is not None and leaf.grad.dtype == dtype and leaf.grad.isfinite().all()


@both
@pytest.mark.parametrize("ratio", [2, 0])
def test_no_regions_and_one_place(ratio: int) -> None:
    leaf = maps().requires_grad_()
    none = roi_align(leaf, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), (2, 3), 0.25, ratio)
    assert none.shape == (0, 3, 2, 3)
    none.sum().backward()
    assert leaf.grad is not None and leaf.grad.eq(0).all()
    spot = roi_align(torch.full((1, 1, 1, 1), 5.0), torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([0]), 2, 1.0, ratio)
    assert spot.eq(5).all()


@both
def test_what_is_no_number_stays_in_its_region() -> None:
    features, (boxes, batch) = maps(torch.float32), regions(torch.float32)
    clean = roi_align(features, boxes, batch, 2, 0.25)
    boxes[3, 0] = math.nan
    got = roi_align(features, boxes, batch, 2, 0.25)
    others = torch.arange(len(boxes)) != 3
    assert torch.equal(got[others], clean[others])


def test_what_does_not_fit_is_named() -> None:
    box, batch = torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64)
    with pytest.raises(DataError, match=r"features \(N, C, h, w\) and boxes \(R, 4\), got \(3, 9, 7\) and \(2, 4\)"):
        roi_align(maps()[0], box, batch, 2, 1.0)
    with pytest.raises(DataError, match="picture of each of 2 boxes with whole numbers, got torch.float32"):
        roi_align(maps(), box, batch.float(), 2, 1.0)
    with pytest.raises(DataError, match="at least one bin down and one across, got output_size 0"):
        roi_align(maps(), box, batch, 0, 1.0)
    with pytest.raises(DataError, match="pictures 0 to 1, got 2"):
        roi_align(maps(), box, batch + 2, 2, 1.0)
