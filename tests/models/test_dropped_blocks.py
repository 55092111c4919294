"""Stochastic depth, and blocks left out of a trained network."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.models.classify.leave_out import left_out, residual_blocks
from pellucid.models.classify.resnet import BasicBlock, Bottleneck, ResNet
from pellucid.nn.blocks.stochastic_depth import let_branches_drop


def drops(model: nn.Module) -> list[float]:
    return [block.drop.p for block in model.modules() if isinstance(block, (BasicBlock, Bottleneck))]


@pytest.mark.parametrize(("depth", "n_blocks"), [(18, 8), (34, 16), (50, 16), (101, 33), (152, 50)])
def test_the_linear_decay_rule(depth: int, n_blocks: int) -> None:
    """Block l of L is dropped with l / L * (1 - 0.5); on average 1/4 of them and a little."""
    with torch.device("meta"):
        found = drops(create(f"stochastic_depth_resnet{depth}"))
    assert found == pytest.approx([number / n_blocks * 0.5 for number in range(1, n_blocks + 1)])
    assert sum(found) == pytest.approx((n_blocks + 1) / 4)  # a sum of l / L over l is (L + 1) / 2


def test_the_mean_over_training_is_the_branch_of_evaluation() -> None:
    """Norms in evaluation, dropping alone in training: the mean of 4,000 draws is what evaluation adds."""
    seed_everything(0)
    model = ResNet(3, 1, (1, 1, 1, 1), small_stem=True).eval()
    let_branches_drop(model, last_survival=0.25)
    block = model.layer4[0]
    assert not block.drop.training, "the mode of the network"
    x = torch.rand(1, 256, 2, 2).expand(4000, -1, -1, -1)
    with torch.no_grad():
        expected = block.residual(x[:1])
        block.drop.train()
        drawn = block.residual(x)
    dropped = (drawn.flatten(1) == 0).all(1).float().mean()
    assert block.drop.p == 0.75
    assert float(dropped) == pytest.approx(0.75, abs=4 * (0.75 * 0.25 / 4000) ** 0.5)
    kept = drawn[~(drawn.flatten(1) == 0).all(1)]
    torch.testing.assert_close(kept[0], expected[0] / 0.25)
    # the standard error of the mean is |F| sqrt(3 / 4000), the same for every element
    assert float((drawn.mean(0) - expected[0]).abs().max()) < 4 * (3 / 4000) ** 0.5 * float(expected.abs().max())


@pytest.mark.parametrize("survival", [0.0, -0.5, 1.5])
def test_a_survival_that_is_no_probability_is_refused(survival: float) -> None:
    with pytest.raises(ConfigError) as caught:
        let_branches_drop(ResNet(3, 1, (1, 1, 1, 1)), survival)
    assert str(caught.value) == f"last_survival must be above 0 and at most 1, got {survival}."


@pytest.mark.parametrize(
    ("name", "n_blocks"),
    [("resnet18", 8), ("preact_resnet18", 8), ("se_resnet18", 8), ("stochastic_depth_resnet18", 8), ("plain18", 5)],
)
def test_every_block_can_be_left_out_and_comes_back(name: str, n_blocks: int) -> None:
    """Of the plain network those five of eight that keep the shape."""
    seed_everything(0)
    model = create(name, 3, 1, (11, 8)).eval()
    blocks, x = residual_blocks(model), torch.randn(2, 1, 11, 8)
    assert len(blocks) == n_blocks and list(blocks) == sorted(blocks)
    keys, shapes = list(model.state_dict()), {}
    with torch.no_grad():
        whole = model(x)
        for block in blocks:
            with left_out(model, block):
                out = model(x)
            shapes[block] = out.shape
            assert not torch.equal(out, whole)
        assert torch.equal(model(x), whole)
    assert set(shapes.values()) == {whole.shape} and list(model.state_dict()) == keys


def test_a_block_left_out_is_a_block_with_a_zero_branch() -> None:
    """Of a ResNet, also where the shape changes; the block that is gone is not computed at all."""
    seed_everything(0)
    model = create("resnet18", 3, 1, (32, 32)).eval()
    x = torch.randn(2, 1, 32, 32)
    for name in ("layer1.1", "layer3.0"):
        block = model.get_submodule(name)
        with torch.no_grad(), left_out(model, name):
            found = model(x)
        kept = block.bn2.weight.detach().clone()
        nn.init.zeros_(block.bn2.weight)
        with torch.no_grad():
            torch.testing.assert_close(found, model(x))
            block.bn2.weight.copy_(kept)


def test_the_block_comes_back_after_an_error() -> None:
    model = create("resnet18", 3, 1, (32, 32))
    before = model.layer2[1]
    with pytest.raises(KeyError), left_out(model, "layer2.1"):
        assert model.layer2[1] is not before
        raise KeyError
    assert model.layer2[1] is before


@pytest.mark.parametrize(("name", "block"), [("resnet18", "layer5.0"), ("plain18", "layer2.0")])
def test_a_block_that_cannot_be_left_out_is_refused(name: str, block: str) -> None:
    with pytest.raises(ConfigError) as caught, left_out(create(name, 3, 1, (32, 32)), block):
        pass
    text = str(caught.value)
    assert text.startswith(f"Unknown residual block {block!r}. Did you mean") and "layer1.0, layer1.1" in text
