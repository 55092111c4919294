"""Bytes from floats: rounded to even, clipped, whatever the order in memory."""

import pytest
import torch

from pellucid.core.seed import generator
from pellucid.ops.rounding import round_into

AWKWARD = torch.tensor([-3.0, -0.5, 0.49, 0.5, 1.5, 2.5, 254.5, 255.2, 300.0])


@pytest.mark.parametrize("from_last", [False, True])
@pytest.mark.parametrize("to_last", [False, True])
@pytest.mark.parametrize("c", [1, 3])
def test_equals_round_clip_and_cast_in_every_order(from_last, to_last, c):
    values = torch.rand(5, c, 7, 6, generator=generator(0, "t")) * 300 - 20
    values.view(-1)[:9] = AWKWARD
    expected = values.round().clamp(0, 255).to(torch.uint8)
    last = torch.channels_last
    values = values.contiguous(memory_format=last if from_last else torch.contiguous_format)
    out = torch.zeros(5, c, 7, 6, dtype=torch.uint8).contiguous(
        memory_format=last if to_last else torch.contiguous_format
    )
    round_into(out, values)
    assert torch.equal(out, expected)


def test_parts_of_a_larger_tensor_and_other_shapes():
    out, values = torch.zeros(6, 4, 3, dtype=torch.uint8), torch.full((2, 4, 3), 7.5)
    round_into(out[2:4], values)
    assert (out[2:4] == 8).all() and not out[:2].any() and not out[4:].any()
    round_into(out[:0], values[:0])
