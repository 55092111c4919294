"""`--loss` of a segmenter: names and sums, what is refused, parts of a batch, and what equal scores cost."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pellucid
from pellucid.core.config import change
from pellucid.core.errors import ConfigError, DataError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Preprocess
from pellucid.data.source import Source
from pellucid.ops.losses import dice_loss
from pellucid.tasks.segment.config import LOSSES as NAMES
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.tasks.segment.loss import IGNORE, LOSSES, compute_loss, expected_initial_loss, weigh
from pellucid.tasks.segment.model import resolve
from pellucid.tasks.segment.task import TASK
from pellucid.training.health.initial_loss import check_initial_loss
from pellucid.training.health.preflight.initial import check_start
from pellucid.training.memory.parts import cut, share_of, shares

ALL = "+".join(NAMES)
FACTS = DataFacts("segment", "s", ("a", "b", "c", "d"), (4, 3, 2, 1), Preprocess((8, 6), 3))


def settings(**values: Any) -> SegmentConfig:
    return change(SegmentConfig(), values)


def batch_of(n: int = 7) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(n)
    mask = torch.randint(0, 4, (n, 8, 6), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < torch.linspace(0, 0.9, n)[:, None, None]] = IGNORE
    mask[1:2] = IGNORE
    logits = torch.randn(n, 4, 8, 6, generator=generator, dtype=torch.float64)
    return {"logits": logits, "auxiliary": logits.flip(0)}, {"mask": mask}


def test_tables_agree() -> None:
    assert set(LOSSES) == set(NAMES)


def test_the_loss_of_before_is_the_usual_one() -> None:
    outputs, batch = batch_of()
    losses = compute_loss({"logits": outputs["logits"]}, batch, SegmentConfig())
    theirs = torch.nn.functional.cross_entropy(outputs["logits"], batch["mask"], ignore_index=IGNORE)
    assert losses.keys() == {"cross_entropy"} and losses["cross_entropy"].item() == pytest.approx(theirs.item())


def test_several_are_added_under_their_names() -> None:
    outputs, batch = batch_of()
    together = compute_loss({"logits": outputs["logits"]}, batch, settings(loss="lovasz+cross-entropy"))
    assert list(together) == ["lovasz", "cross_entropy"]
    for name in ("lovasz", "cross-entropy"):
        alone = compute_loss({"logits": outputs["logits"]}, batch, settings(loss=name))
        assert together[name.replace("-", "_")].equal(next(iter(alone.values())))


@pytest.mark.parametrize("weight", [0.5, 0.2, 0.0])
def test_an_auxiliary_head_costs_the_same_times_its_weight(weight: float) -> None:
    outputs, batch = batch_of()
    cfg = settings(loss="dice+focal", auxiliary_weight=weight)
    losses = compute_loss(outputs, batch, cfg)
    of_head = compute_loss({"logits": outputs["auxiliary"]}, batch, cfg)
    expected = {f"auxiliary_{name}": weight * loss for name, loss in of_head.items()} if weight else {}
    assert {k: v for k, v in losses.items() if k.startswith("auxiliary")} == expected


@pytest.mark.parametrize("n_parts", [1, 2, 3, 7])
@pytest.mark.parametrize("values", [{}, {"class_weights": (1.0, 2, 0.5, 3), "label_smoothing": 0.1}])
def test_a_batch_in_parts_has_every_loss_of_the_whole(n_parts: int, values: dict[str, Any]) -> None:
    outputs, batch = batch_of()
    cfg = settings(loss=ALL, **values)
    parts = cut({**outputs, **batch}, n_parts)
    sums = dict.fromkeys(compute_loss(outputs, batch, cfg), 0.0)
    for part, share in zip(parts, shares(TASK, parts, cfg), strict=True):
        for name, loss in compute_loss({k: part[k] for k in outputs}, part, cfg).items():
            sums[name] += float(loss * share_of(name, share))
    whole = compute_loss(outputs, batch, cfg)
    assert sums == pytest.approx({name: loss.item() for name, loss in whole.items()}, rel=1e-6)
    assert whole.keys() <= weigh(batch, cfg).keys()


def test_a_batch_in_which_nothing_counts_has_shares_of_zero() -> None:
    batch = {"mask": torch.full((4, 3, 3), IGNORE)}
    cfg = settings(loss=ALL)
    for share in shares(TASK, cut(batch, 2), cfg):
        assert all(float(each) == 0 for each in share.values())


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_equal_scores_cost_what_theory_says_where_it_says_anything(gamma: float) -> None:
    cfg = settings(loss=ALL, focal_gamma=gamma, class_weights=(1.0, 2, 0.5, 3), label_smoothing=0.1)
    _, batch = batch_of()
    losses = compute_loss({"logits": torch.zeros(7, 4, 8, 6)}, batch, cfg)
    theory = expected_initial_loss(cfg, FACTS)
    assert theory.keys() == losses.keys()
    assert [name for name, value in theory.items() if math.isnan(value)] == ["dice"]
    for name, value in theory.items():
        assert math.isnan(value) or losses[name].item() == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"loss": "dicee"}, "Unknown loss 'dicee'. Did you mean 'dice'? Choose from"),
        ({"loss": "dice+"}, "Unknown loss ''"),
        ({"loss": "dice+lovasz+dice"}, "--loss dice+lovasz+dice names dice twice; all are added with equal weights."),
        (
            {"focal_gamma": 1.0},
            "--focal-gamma means nothing beside --loss cross-entropy, only with focal. Leave it out.",
        ),
        ({"loss": "focal", "focal_gamma": -1.0}, "focal_gamma must be 0 or positive, got -1"),
        ({"loss": "dice", "balance": True}, "--balance means nothing beside --loss dice: it"),
        ({"loss": "dice+lovasz", "label_smoothing": 0.1}, "--label-smoothing means nothing beside --loss dice+lovasz"),
        ({"loss": "lovasz", "class_weights": (1.0, 2.0)}, "--class-weights means nothing beside --loss lovasz"),
        ({"auxiliary_weight": -1.0}, "auxiliary_weight must be 0 (without) or positive, got -1"),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(**values)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_class_weights_belong_to_the_loss_by_pixels_beside_dice() -> None:
    outputs, batch = batch_of()
    plain, weighted = (
        compute_loss(outputs, batch, settings(loss="cross-entropy+dice", class_weights=weights))
        for weights in ((), (1.0, 9, 1, 1))
    )
    assert plain["dice"].equal(weighted["dice"]) and not plain["cross_entropy"].equal(weighted["cross_entropy"])


class Constant(nn.Module):
    """Answers every pixel with the same scores."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.tensor(scores))

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        n, height, width = batch["mask"].shape
        return {"logits": self.scores.view(1, -1, 1, 1).expand(n, -1, height, width)}


@pytest.mark.parametrize(("scores", "good"), [((0.0, 0.0, 0.0, 0.0), True), ((0.0, 0.0, 0.0, 9.0), False)])
@pytest.mark.parametrize("loss", ["dice", "cross-entropy+dice"])
def test_the_first_dice_is_compared_with_that_of_equal_scores_on_the_same_pictures(
    loss: str, scores: tuple[float, ...], good: bool
) -> None:
    batch = batch_of()[1]
    batch["mask"][batch["mask"] == 3] = 0  # what scores of 9 point at is never there
    job = SimpleNamespace(
        task=TASK,
        cfg=settings(loss=loss),
        facts=FACTS,
        model=Constant(*scores),
        train=Batches([batch]),
        plan=None,
        device=torch.device("cpu"),
        precision="fp32",
    )
    verdict = check_start(job)
    assert (verdict.status == "pass") is good
    if loss == "dice":
        plain = dice_loss(torch.zeros(7, 4, 8, 6), batch["mask"], ignore_index=IGNORE).item()
        assert f"a model that knows nothing has {plain:.3f}" in verdict.evidence


class Batches(list[dict[str, Tensor]]):
    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        return iter(self)


def test_where_no_theory_is_known_the_loop_says_nothing() -> None:
    assert check_initial_loss({"dice": 0.4}, {"dice": math.nan}) == []
    (verdict,) = check_initial_loss({"cross_entropy": 0.0}, {"cross_entropy": 1.0})
    assert verdict.status == "fail" and "all its labels mean 'ignore'" in verdict.cause


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((0, 0, 0, 0), "s: every pixel of the 9 training masks is ignored (255), so nothing can be learned."),
        ((0, 5, 0, 0), "s: the 9 training masks show nothing but b, so nothing can be told apart. Classes that never "),
    ],
)
def test_masks_that_teach_nothing_are_refused_in_one_line(counts: tuple[int, ...], message: str) -> None:
    with pytest.raises(DataError) as caught:
        resolve(SegmentConfig(), replace(FACTS, class_counts=counts, n_train=9))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    resolve(SegmentConfig(), replace(FACTS, class_counts=counts, n_train=0))  # weights of elsewhere know no counts


@pytest.fixture(scope="module")
def squares() -> Source:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 40, (40, 16, 16, 3), dtype=np.uint8)
    masks = np.zeros((40, 16, 16), dtype=np.uint8)
    for image, mask, (top, left) in zip(images, masks, rng.integers(0, 8, (40, 2)), strict=True):
        image[top : top + 8, left : left + 8] += 180
        mask[top : top + 8, left : left + 8] = 1
    return Source("squares", images, [str(k) for k in range(40)], ("ground", "square"), masks=masks)


@pytest.mark.parametrize("loss", NAMES)
def test_every_loss_trains(loss: str, squares: Source, tmp_path: Path) -> None:
    run = pellucid.train(
        squares,
        out=tmp_path / "run",
        epochs=5,
        loss=loss,
        batch=8,
        progress="quiet",
        augment=False,
        threads=1,
        allow_leaks=True,  # squares are alike
    )
    assert run.history[-1]["val_miou"] > 0.85
