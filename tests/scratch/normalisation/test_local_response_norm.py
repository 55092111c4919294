"""Local response norm: a channel alone, the paper's numbers, windows, messages."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.normalisation.local_response import lrn_backward, lrn_forward


def test_one_channel_by_hand():
    out, _ = lrn_forward(np.array([[[2.0]]]), {"size": 1, "alpha": 3.0, "beta": 0.5, "k": 4.0})
    assert out == pytest.approx(2 / np.sqrt(4 + 3 * 2**2))


def test_as_the_paper_writes_it(rng):
    """b = a / (k + α Σ a²)^β with k 2, n 5, α 1e-4, β 0.75 is our α = 5e-4: here α is divided by n."""
    x = 50 * rng.standard_normal((2, 96, 3, 3))
    out, _ = lrn_forward(x, {"size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2.0})
    for c in (0, 1, 50, 94, 95):
        around = (x[:, max(c - 2, 0) : min(c + 2, 95) + 1] ** 2).sum(axis=1)
        assert out[:, c] == pytest.approx(x[:, c] / (2 + 1e-4 * around) ** 0.75)


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("shape", [(2, 3), (1, 6, 4), (2, 5, 3, 2), (1, 4, 2, 1, 3)])
def test_windows_beside_pytorch(rng, size, shape):
    x, dout = 3 * rng.standard_normal((2, *shape))
    tensor = torch.from_numpy(x).requires_grad_()
    wanted = F.local_response_norm(tensor[..., None] if x.ndim == 2 else tensor, size, alpha=0.5)
    wanted = wanted.reshape(shape)
    wanted.backward(torch.from_numpy(dout))
    out, cache = lrn_forward(x, {"size": size, "alpha": 0.5})
    assert out == pytest.approx(wanted.detach().numpy())
    assert lrn_backward(dout, cache) == pytest.approx(tensor.grad.numpy())


def test_loud_neighbours_quieten(rng):
    quiet = np.ones((1, 5, 1, 1))
    loud = quiet.copy()
    loud[0, 3] = 100.0
    alone, beside = (lrn_forward(x, {"size": 3, "alpha": 1.0})[0][0, :, 0, 0] for x in (quiet, loud))
    assert beside[2] < alone[2] / 10
    assert np.array_equal(beside[:2], alone[:2]), "too far away to matter"


def test_edges(rng):
    out, cache = lrn_forward(np.zeros((0, 4, 2, 2), np.float32), {})
    assert lrn_backward(out, cache).shape == (0, 4, 2, 2)
    x = rng.standard_normal((1, 3, 2, 2)).astype(np.float32)
    out, cache = lrn_forward(x, {})
    assert out.dtype == lrn_backward(out, cache).dtype == np.float32


def test_messages():
    with pytest.raises(DataError) as caught:
        lrn_forward(np.zeros(3), {})
    assert str(caught.value) == "lrn: x must be (N, C, ...), got (3,)."
    for size in (0, 2.5):
        with pytest.raises(ConfigError) as caught:
            lrn_forward(np.zeros((1, 3, 2, 2)), {"size": size})
        assert str(caught.value) == f"lrn: size counts channels and must be a positive integer, got {size}."
