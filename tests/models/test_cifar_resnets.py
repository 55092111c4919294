"""The thin networks for small pictures: the paper's counts, and a way round without parameters."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.models.classify.cifar_resnet import CifarResNet, PaddedShortcut, residual_block
from pellucid.models.classify.leave_out import left_out, residual_blocks
from pellucid.nn.geometry import describe


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("n", "millions"), [(3, 0.27), (5, 0.46), (7, 0.66), (9, 0.85), (18, 1.7)], ids=lambda value: str(value)
)
def test_counts_are_those_of_the_papers_table_6(n: int, millions: float) -> None:
    with torch.device("meta"):
        model = CifarResNet(10, 3, n)
    assert n_parameters(model) / 1e6 == pytest.approx(millions, abs=0.05 if n == 18 else 0.005)


@pytest.mark.parametrize(("name", "expected"), [("resnet20", 269_722), ("resnet56", 853_018)])
def test_counts_by_formula_and_twins_have_the_same_tensors(name: str, expected: int) -> None:
    """16, 32 and 64 maps: 9 C_out C_in a convolution, two numbers a map and norm, and the linear layer."""
    n = (int(name.removeprefix("resnet")) - 2) // 6
    widths = [3, 16, *[16] * (2 * n), *[32] * (2 * n), *[64] * (2 * n)]
    convolutions = sum(9 * a * b for a, b in pairwise(widths))
    assert convolutions + 2 * sum(widths[1:]) + 64 * 10 + 10 == expected
    with torch.device("meta"):
        residual = create(name, 10, 3, (32, 32)).state_dict()
        plain = create(name.replace("resnet", "plain"), 10, 3, (32, 32)).state_dict()
    assert sum(v.numel() for k, v in residual.items() if "running" not in k and "num_batches" not in k) == expected
    assert {k: v.shape for k, v in residual.items()} == {k: v.shape for k, v in plain.items()}


@pytest.mark.parametrize("name", ["resnet20", "resnet56", "plain20", "plain56"])
def test_the_number_in_the_name_is_the_depth(name: str) -> None:
    with torch.device("meta"):
        found = describe(create(name, 10, 3, (32, 32)), 3, (32, 32))
    assert f"{found.depth}" == name[-2:]


def test_twins_start_with_the_same_weights() -> None:
    """As the sum has no parameters, the same draws come in the same order."""
    models = []
    for name in ("resnet20", "plain20"):
        seed_everything(3)
        models.append(create(name, 10, 1, (14, 14)).state_dict())
    assert all(torch.equal(models[0][key], models[1][key]) for key in models[0])


@pytest.mark.parametrize("size", [(6, 4), (7, 5), (1, 1)])
def test_the_way_round_takes_every_second_cell_and_adds_empty_maps(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    found = PaddedShortcut(3, 8, 2)(x)
    cells = F.max_pool2d(x, 1, 2)  # windows of one cell: an independent way to take every second one
    assert torch.equal(found[:, :3], cells) and not found[:, 3:].any() and found.shape[1] == 8


def test_a_block_whose_residual_is_zero_passes_on_what_the_way_round_gives() -> None:
    seed_everything(0)
    block = residual_block(4, 8, stride=2).eval()
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 4, 5, 7)
    torch.testing.assert_close(block(x), F.relu(PaddedShortcut(4, 8, 2)(x)))
    assert [name for name, _ in block.named_parameters() if "downsample" in name] == []


@pytest.mark.parametrize(("name", "n_blocks"), [("resnet20", 9), ("plain20", 7), ("resnet56", 27), ("plain56", 25)])
def test_blocks_to_leave_out(name: str, n_blocks: int) -> None:
    """All of a residual network; of a plain one not the two that change the shape."""
    model = create(name, 10, 1, (9, 6)).eval()
    blocks, x = list(residual_blocks(model)), torch.randn(1, 1, 9, 6)
    assert len(blocks) == n_blocks
    with torch.no_grad(), left_out(model, blocks[-1]):
        assert model(x).shape == (1, 10)


def test_no_blocks_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        CifarResNet(10, 3, 0)
    assert str(caught.value) == "n must be 1 or more, got 0."
