"""Memory that is used again must never be somebody's who still looks at it."""

import pytest
import torch

from pellucid.ops import buffers

LARGE = (buffers.SMALL + 5,)


@pytest.fixture(autouse=True)
def own_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of those of tests before, which may come free at any moment."""
    monkeypatch.setattr(buffers, "_blocks", [])


def test_memory_comes_back_only_when_no_view_of_it_lives():
    first = buffers.empty(LARGE, torch.uint8)
    place = first.data_ptr()
    view = first[100:].view(-1)
    array = first.numpy()
    del first
    assert buffers.empty(LARGE, torch.uint8).data_ptr() != place
    del view
    assert buffers.empty(LARGE, torch.uint8).data_ptr() != place  # the array still shares it
    del array
    assert buffers.empty(LARGE, torch.uint8).data_ptr() == place


def test_many_at_once_do_not_overlap():
    held = [buffers.empty(LARGE, torch.uint8).fill_(k) for k in range(3 * buffers.KEEP)]
    assert all((tensor == k).all() for k, tensor in enumerate(held))
    assert len(buffers._blocks) <= buffers.KEEP


def test_what_autograd_keeps_is_not_used_again():
    x = buffers.empty((600, 1000), torch.float32).fill_(2.0)
    weight = torch.ones(600, 1000, requires_grad=True)
    loss = (weight * x).sum()
    del x
    buffers.empty((600, 1000), torch.float32).fill_(7.0)
    loss.backward()
    assert (weight.grad == 2).all()


def test_type_shape_and_alignment():
    for dtype in (torch.uint8, torch.bfloat16, torch.float32, torch.int64):
        tensor = buffers.empty((3, 700, 701), dtype)
        assert tensor.shape == (3, 700, 701)
        assert tensor.dtype is dtype
        assert tensor.is_contiguous()
        assert tensor.data_ptr() % buffers.ALIGN == 0
    assert buffers.empty((0, 4), torch.float32).shape == (0, 4)
