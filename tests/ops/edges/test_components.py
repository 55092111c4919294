"""Components against SciPy's and against those of a flood written here."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pellucid.core.errors import ConfigError, DataError
from pellucid.ops.edges import components
from pellucid.ops.edges.components import connected_components


def in_scan_order(labels: np.ndarray) -> np.ndarray:
    """The same components, numbered as a scan meets them."""
    names, first = np.unique(labels.ravel(), return_index=True)
    names = names[np.argsort(first)]
    number = np.zeros(labels.max() + 1, dtype=np.int32)
    number[names[names > 0]] = np.arange(1, (names > 0).sum() + 1)
    return number[labels]


def scipy_labels(mask: np.ndarray, connectivity: int) -> np.ndarray:
    structure = np.ones((3, 3)) if connectivity == 8 else None
    return in_scan_order(scipy.ndimage.label(mask, structure)[0])


def spiral(side: int) -> np.ndarray:
    """One path of single pixels that winds inwards, with a free pixel between its turns."""
    mask, row, column, down, right = np.zeros((side, side), dtype=bool), 0, 0, 0, 1
    mask[0, 0] = True
    for length in [side - 1, *(n for n in range(side - 1, 0, -2) for _ in range(2))]:
        for _ in range(length):
            row, column = row + down, column + right
            mask[row, column] = True
        down, right = right, -down
    return mask


def comb(side: int) -> np.ndarray:
    """Teeth that only the last row joins."""
    mask = np.zeros((side, side), dtype=bool)
    mask[:, ::2] = True
    mask[-1] = True
    return mask


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.6, 0.95, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (6, 5), (47, 64)])
def test_equals_scipy_numbered_in_scan_order(shape: tuple[int, int], share: float, connectivity: int) -> None:
    mask = np.random.default_rng(0).random(shape) < share
    labels = connected_components(mask, connectivity)
    assert isinstance(labels, np.ndarray) and labels.dtype == np.int32
    assert np.array_equal(labels, scipy_labels(mask, connectivity))


@settings(max_examples=60, deadline=None)
@given(mask=arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)), connectivity=st.sampled_from([4, 8]))
def test_equals_scipy_on_any_small_mask(mask: np.ndarray, connectivity: int) -> None:
    assert np.array_equal(connected_components(mask, connectivity), scipy_labels(mask, connectivity))


@pytest.mark.parametrize("shape", [spiral, comb])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_worst_cases_are_one_component(shape: object, connectivity: int) -> None:
    mask = shape(61)  # type: ignore[operator]
    assert 0.3 < mask.mean() < 0.7
    for turned in (mask, mask[::-1], mask[:, ::-1], mask.T, mask.T[::-1]):
        assert np.array_equal(connected_components(turned, connectivity), turned.astype(np.int32))


def test_corners_join_only_with_eight() -> None:
    mask = np.eye(4, dtype=bool)
    assert connected_components(mask).max() == 1
    assert np.array_equal(connected_components(mask, 4), np.diag([1, 2, 3, 4]))


def test_planes_of_a_batch_are_numbered_each_for_itself() -> None:
    masks = np.random.default_rng(1).random((5, 13, 17)) < [[[0.4]], [[0.0]], [[1.0]], [[0.6]], [[0.2]]]
    together = connected_components(masks)
    assert all(np.array_equal(each, connected_components(mask)) for each, mask in zip(together, masks, strict=True))
    assert np.array_equal(connected_components(masks[:, None])[:, 0], together)


def test_kinds_of_masks_give_the_same() -> None:
    mask = np.random.default_rng(2).random((20, 31)) < 0.5
    wanted, before = connected_components(mask), mask.copy()
    for kind in (np.uint8, np.int64, np.float32):
        assert np.array_equal(connected_components(mask.astype(kind) * 3), wanted)
    as_tensor = connected_components(torch.from_numpy(mask))
    assert isinstance(as_tensor, torch.Tensor) and as_tensor.dtype is torch.int32
    assert np.array_equal(as_tensor.numpy(), wanted) and np.array_equal(mask, before)
    assert np.array_equal(connected_components(mask[::-1, ::-1]), scipy_labels(mask[::-1, ::-1], 8))


@pytest.mark.parametrize("connectivity", [4, 8])
def test_the_way_of_other_devices_equals_the_processors(connectivity: int) -> None:
    """Pointer jumping, which accelerators use, runs on the processor too; here it meets the trees of its own way."""
    noise = np.random.default_rng(3).random((70, 90))
    corner = 0 if connectivity == 8 else 1
    for mask in (noise < 0.3, noise < 0.55, noise < 0.9, spiral(61), comb(61), comb(61)[::-1], noise < 0):
        padded = torch.from_numpy(np.pad(mask, ((0, 1), (0, 1))))
        starts, ends = components._runs(padded.view(-1))
        stride = padded.shape[1]
        first = torch.searchsorted(ends, starts - (stride - corner))
        behind = torch.searchsorted(starts, ends - (stride - 1 + corner))
        assert torch.equal(components._hook(first, behind), components.join_runs(starts, ends, stride, connectivity))


def test_wrong_input_is_told_in_one_line() -> None:
    mask = np.ones((3, 3))
    with pytest.raises(ConfigError, match=r"^connectivity must be 4 or 8, got 6\.$"):
        connected_components(mask, 6)
    with pytest.raises(DataError, match=r"^mask must be \(H, W\) or \(N, H, W\) .* got shape \(0, 3\)\.$"):
        connected_components(mask[:0])
    with pytest.raises(DataError, match=r"got shape \(3,\)\.$"):
        connected_components(mask[0])
    with pytest.raises(DataError, match=r"^mask must be a NumPy array or a torch tensor, got list\. Use .*$"):
        connected_components([[1]])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"^mask holds NaN\."):
        connected_components(mask * np.nan)
