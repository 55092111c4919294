"""Losses of auxiliary heads: in training, weighted, and nowhere else."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.core.seed import seed_everything
from pellucid.models.from_batch import FromBatch
from pellucid.ops.losses import cross_entropy
from pellucid.tasks.classify.config import ClassifyConfig, ClassifyLossConfig, ModelConfig
from pellucid.tasks.classify.loss import compute_loss, expected_initial_loss
from pellucid.tasks.classify.model import make_model, resolve


@pytest.fixture
def facts() -> DataFacts:
    return DataFacts(
        task="classify",
        source="three classes",
        classes=("a", "b", "c"),
        preprocess=Preprocess((16, 16), channels=1, shift=(127.5,), scale=(1 / 74,)),
        n_train=30,
        n_val=6,
        n_test=6,
        class_counts=(10, 10, 10),
    )


def settings(model: str, weight: float = 0.3, **more: object) -> ClassifyConfig:
    return ClassifyConfig(model=ModelConfig(model), loss=ClassifyLossConfig(auxiliary_weight=weight, **more))


def some_outputs() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    torch.manual_seed(0)
    logits = {name: torch.randn(5, 3) for name in ("logits", "auxiliary1", "auxiliary2")}
    return logits, {"label": torch.tensor([0, 1, 2, -1, 1])}


def test_each_head_has_its_own_loss() -> None:
    """Main + 0.3 of each: the same loss as of the logits, with smoothing and weights of classes."""
    outputs, batch = some_outputs()
    cfg = settings("googlenet", label_smoothing=0.1, class_weights=(1.0, 2.0, 0.5))
    losses = compute_loss(outputs, batch, cfg)
    weights = torch.tensor([1.0, 2.0, 0.5])
    each = [
        cross_entropy(v, batch["label"], weights=weights, label_smoothing=0.1, ignore_index=-1)
        for v in outputs.values()
    ]
    assert list(losses) == ["cross_entropy", "auxiliary1", "auxiliary2"]
    torch.testing.assert_close(sum(losses.values()), each[0] + 0.3 * each[1] + 0.3 * each[2])


def test_weight_0_leaves_them_out(facts: DataFacts) -> None:
    outputs, batch = some_outputs()
    cfg = settings("googlenet", weight=0.0)
    assert list(compute_loss(outputs, batch, cfg)) == ["cross_entropy"] == list(expected_initial_loss(cfg, facts))


def test_without_heads_nothing_changes(facts: DataFacts) -> None:
    outputs, batch = some_outputs()
    assert list(compute_loss({"logits": outputs["logits"]}, batch, settings("convnet"))) == ["cross_entropy"]
    assert expected_initial_loss(settings("convnet"), facts) == {"cross_entropy": math.log(3)}


@pytest.mark.parametrize(
    ("name", "side", "heads"), [("googlenet", 16, 2), ("googlenet_paper", 16, 2), ("inception_v3", 75, 1)]
)
def test_theory_knows_the_heads(facts: DataFacts, name: str, side: int, heads: int) -> None:
    """Of a fresh network every loss is what theory says: ln K, and 0.5 ln K of each head."""
    seed_everything(0)
    facts = replace(facts, preprocess=replace(facts.preprocess, size=(side, side)))
    cfg = settings(name, weight=0.5)
    model = make_model(cfg, facts)
    batch = {
        "image": torch.randint(0, 256, (12, 1, side, side), dtype=torch.uint8),
        "label": torch.arange(12) % 3,
    }
    with torch.no_grad():
        losses = compute_loss(model(batch), batch, cfg)
        validation = compute_loss(model.eval()(batch), batch, cfg)
    theory = expected_initial_loss(cfg, facts)
    assert list(theory.values()) == [math.log(3)] + heads * [0.5 * math.log(3)]
    assert losses.keys() == theory.keys() and list(validation) == ["cross_entropy"]
    for key, value in theory.items():
        assert float(losses[key]) == pytest.approx(value, rel=0.06)  # 70 % of a head is dropped at random


def test_a_weight_for_heads_that_are_not_there_is_refused(facts: DataFacts) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(settings("resnet18", weight=0.4), facts)
    assert str(caught.value) == (
        "--auxiliary-weight means nothing for model resnet18, which has no auxiliary heads. Leave it out."
    )
    assert resolve(settings("googlenet", weight=0.4), facts).loss.auxiliary_weight == 0.4
    assert resolve(settings("resnet18"), facts).model.model == "resnet18"


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match="auxiliary_weight must be 0 \\(without\\) or positive, got -1"):
        ClassifyLossConfig(auxiliary_weight=-1)


def test_the_wrapper_gives_all_heads_in_training() -> None:
    class TwoHeads(nn.Module):
        def outputs(self, x: Tensor) -> dict[str, Tensor]:
            means = x.mean((2, 3))
            return {"logits": means, **({"auxiliary1": 2 * means} if self.training else {})}

        def forward(self, x: Tensor) -> Tensor:
            return self.outputs(x)["logits"]

    wrapped = FromBatch(TwoHeads(), Preprocess((2, 2), channels=1, shift=(5.0,), scale=(0.25,)))
    batch = {"image": torch.full((1, 1, 2, 2), 13, dtype=torch.uint8)}
    assert {name: value.item() for name, value in wrapped(batch).items()} == {"logits": 2.0, "auxiliary1": 4.0}
    assert {name: value.item() for name, value in wrapped.eval()(batch).items()} == {"logits": 2.0}
