"""Mixup and CutMix: pixels by the papers' equations, weights by the pixels, and a loss that equals both labels' own."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pellucid.core.config import change
from pellucid.core.errors import ConfigError
from pellucid.core.seed import generator
from pellucid.data.transforms import CutMix, Either, Mixup
from pellucid.data.transforms.mixing.partners import both_valid, draw_partners
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.tasks.classify.loss import compute_loss, weigh


def flat(n: int = 12, h: int = 20, w: int = 30) -> dict[str, torch.Tensor]:
    """Picture i is all of grey 20 i, so that every pixel says where it is from."""
    grey = torch.arange(n, dtype=torch.uint8) * 20
    image = grey.view(n, 1, 1, 1).expand(n, 3, h, w).contiguous()
    return {"image": image, "label": torch.arange(n) % 5, "index": torch.arange(n)}


def partners(found: dict[str, torch.Tensor], batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Who was mixed in: all are as far apart, so the labels of a long enough batch tell."""
    n = len(batch["label"])
    for away in range(1, n):
        if torch.equal(batch["label"].roll(-away), found["label_mix"][:, 1]):
            return (torch.arange(n) + away) % n
    raise AssertionError("no common distance explains the second labels")


@pytest.mark.parametrize("seed", range(5))
def test_mixup_is_the_papers_equation(seed):
    rng = np.random.default_rng(seed)
    image = torch.from_numpy(rng.integers(0, 256, (7, 3, 9, 8), dtype=np.uint8))
    batch = {"image": image, "label": torch.arange(7)}
    found = Mixup(1.0)(batch, generator(seed, "t"))
    assert torch.equal(found["label"], batch["label"])
    assert torch.equal(found["label_mix"][:, 0], batch["label"])
    other = image[partners(found, batch)]
    weight = found["label_mix_weight"].double().view(-1, 1, 1, 1)
    expected = (1 - weight) * image + weight * other
    assert (found["image"].double() - expected).abs().max() <= 0.5001


@pytest.mark.parametrize("seed", range(5))
def test_the_cutmix_weight_is_the_share_of_pixels_that_were_pasted(seed):
    batch = flat()
    batch["mask"] = batch["image"][:, 0].clone()
    found = CutMix(1.0)(batch, generator(seed, "t"))
    other = partners(found, batch)
    for k in range(12):
        pasted = found["image"][k, 0] == batch["image"][other[k], 0, 0, 0]
        own = found["image"][k, 0] == batch["image"][k, 0, 0, 0]
        assert (pasted ^ own).all()
        assert found["label_mix_weight"][k] == pytest.approx(float(pasted.double().mean()), abs=1e-7)
        if pasted.any():  # one rectangle
            assert pasted.sum() == pasted.any(1).sum() * pasted.any(0).sum()
    assert torch.equal(found["mask"], found["image"][:, 0])  # every pixel brought its class along


def test_cutmix_masks_move_alone_too():
    batch = flat()
    segment = {"image": batch["image"], "mask": batch["image"][:, 0].long()}
    found = CutMix(1.0)(segment, generator(0, "t"))
    assert set(found) == {"image", "mask"}
    assert torch.equal(found["mask"], found["image"][:, 0].long())
    assert not torch.equal(found["mask"], segment["mask"])


@pytest.mark.parametrize(("transform", "mean"), [(Mixup(0.2), 0.5), (Mixup(8.0), 0.5), (CutMix(1.0), 0.32)])
def test_shares_follow_beta(transform, mean):
    """Half on average; CutMix loses what lies outside the picture: measured against the same law drawn in NumPy."""
    batch = {"image": torch.zeros(6000, 1, 10, 10, dtype=torch.uint8), "label": torch.zeros(6000).long()}
    weight = transform(batch, generator(0, "t"))["label_mix_weight"].double()
    if isinstance(transform, Mixup):
        a = transform.alpha
        assert weight.mean() == pytest.approx(mean, abs=0.02)
        assert weight.var() == pytest.approx(1 / (4 * (2 * a + 1)), rel=0.06)
        return
    rng = np.random.default_rng(1)
    side = np.rint(np.sqrt(rng.beta(1, 1, 40000)) * 10).astype(int)
    area = np.ones(40000)
    for _ in range(2):
        begin = rng.integers(0, 10, 40000) - side // 2
        area *= np.minimum(begin + side, 10) - np.maximum(begin, 0)
    assert weight.mean() == pytest.approx(area.mean() / 100, abs=0.015)


@pytest.mark.parametrize("kind", [Mixup, CutMix])
def test_a_share_of_the_pictures_and_none_alone(kind):
    batch = flat(12, 8, 8)
    none = kind(1.0, p=0.0)(batch, generator(0, "t"))
    assert torch.equal(none["image"], batch["image"])
    assert not none["label_mix_weight"].any()
    alone = kind(1.0)({key: values[:1] for key, values in batch.items()}, generator(0, "t"))
    assert torch.equal(alone["image"], batch["image"][:1])
    empty = kind(1.0)({key: values[:0] for key, values in batch.items()}, generator(0, "t"))
    assert empty["image"].shape == (0, 3, 8, 8)
    some = kind(1.0, p=0.3)(
        {"image": torch.zeros(2000, 1, 8, 8, dtype=torch.uint8), "label": torch.zeros(2000).long()}, generator(0, "t")
    )
    assert (some["label_mix_weight"] > 0).double().mean() == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize("kind", [Mixup, CutMix])
def test_pictures_without_a_label_neither_give_nor_take(kind):
    batch = flat()
    batch["label"][[2, 3, 8]] = -1
    found = kind(1.0)(batch, generator(3, "t"))
    known = (found["label_mix"] >= 0).all(1)
    assert not known[[2, 3, 8]].any()
    assert (found["label_mix_weight"][~known] == 0).all()
    assert torch.equal(found["image"][~known], batch["image"][~known])
    assert (found["label_mix_weight"][known] > 0).any()


@pytest.mark.parametrize("kind", [Mixup, CutMix])
def test_no_third_label_and_no_boxes(kind):
    batch = flat()
    once = kind(1.0)(batch, generator(0, "t"))
    with pytest.raises(ConfigError, match="the pictures are mixed already, and a third label has no place"):
        kind(1.0)(once, generator(0, "t"))
    with pytest.raises(ConfigError, match="mixes pictures with a label or a mask, not with boxes_xyxy"):
        kind(1.0)({**batch, "boxes_xyxy": torch.zeros(12, 1, 4)}, generator(0, "t"))


def test_mixup_refuses_masks():
    with pytest.raises(ConfigError, match="Use cutmix, which moves whole pixels"):
        Mixup(1.0)({**flat(), "mask": torch.zeros(12, 20, 30)}, generator(0, "t"))


def test_either_takes_each_as_often():
    batch = flat()
    either, seen = Either((Mixup(1.0), CutMix(1.0))), []
    for seed in range(200):
        found = either(batch, generator(seed, "t"))["image"]
        greys = {grey % 20 for grey in found.unique().tolist()}
        seen.append(greys == {0})  # pasted pixels keep their grey
    assert np.mean(seen) == pytest.approx(0.5, abs=0.1)


# ------------------------------------------------------------------------------------------------------- the loss


def mixed(seed: int = 0, n: int = 16, n_classes: int = 5) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    drawn = generator(seed, "loss")
    label = torch.randint(0, n_classes, (n, 2), generator=drawn)
    weight = torch.rand(n, generator=drawn)
    batch = {"label": label[:, 0], "label_mix": label, "label_mix_weight": weight}
    return {"logits": torch.randn(n, n_classes, generator=drawn)}, batch


def test_the_loss_is_that_of_soft_labels():
    outputs, batch = mixed()
    weight = batch["label_mix_weight"][:, None]
    soft = (1 - weight) * F.one_hot(batch["label_mix"][:, 0], 5) + weight * F.one_hot(batch["label_mix"][:, 1], 5)
    for smoothing in (0.0, 0.1):
        cfg = change(ClassifyConfig(), {"label_smoothing": smoothing})
        expected = F.cross_entropy(outputs["logits"], soft, label_smoothing=smoothing)
        torch.testing.assert_close(compute_loss(outputs, batch, cfg)["cross_entropy"], expected)
        assert weigh(batch, cfg) == pytest.approx(16)


def test_class_weights_count_for_each_label_by_its_share():
    outputs, batch = mixed(1)
    cfg = change(ClassifyConfig(), {"class_weights": (1.0, 2.0, 0.5, 4.0, 1.0)})
    table, top, bottom = torch.tensor(cfg.loss.class_weights), 0.0, 0.0
    for k in range(16):
        log = outputs["logits"][k].log_softmax(0)
        for place, share in ((0, 1 - batch["label_mix_weight"][k]), (1, batch["label_mix_weight"][k])):
            label = batch["label_mix"][k, place]
            top += float(-share * table[label] * log[label])
            bottom += float(share * table[label])
    assert float(compute_loss(outputs, batch, cfg)["cross_entropy"]) == pytest.approx(top / bottom, rel=1e-5)
    assert float(weigh(batch, cfg)) == pytest.approx(bottom, rel=1e-5)


def test_a_mixture_of_one_picture_costs_what_it_costs_alone():
    outputs, batch = mixed(2)
    cfg = ClassifyConfig()
    batch["label_mix"][:, 1] = batch["label_mix"][:, 0]
    plain = compute_loss(outputs, {"label": batch["label"]}, cfg)["cross_entropy"]
    torch.testing.assert_close(compute_loss(outputs, batch, cfg)["cross_entropy"], plain)


def test_equal_logits_cost_ln_k_and_unlabelled_pictures_nothing():
    outputs, batch = mixed(3)
    outputs["logits"].zero_()
    batch["label_mix"][4:8] = -1
    batch["label_mix_weight"][4:8] = 0
    assert float(compute_loss(outputs, batch, ClassifyConfig())["cross_entropy"]) == pytest.approx(np.log(5), rel=1e-6)
    outputs["logits"].requires_grad_()
    compute_loss(outputs, batch, ClassifyConfig())["cross_entropy"].backward()
    assert not outputs["logits"].grad[4:8].any()
    batch["label_mix"][:] = -1
    batch["label_mix_weight"][:] = 0
    assert float(compute_loss(outputs, batch, ClassifyConfig())["cross_entropy"].detach()) == 0


@pytest.mark.parametrize("n", [2, 3, 7])
def test_nobody_is_mixed_with_itself(n: int) -> None:
    drawn = torch.stack([draw_partners(n, torch.Generator().manual_seed(seed)) for seed in range(40)])
    assert (drawn != torch.arange(n)).all()
    assert sorted(drawn[0].tolist()) == list(range(n))  # each is mixed into one other
    assert len({tuple(row) for row in drawn.tolist()}) == n - 1  # and every distance comes


def test_what_shows_both_pictures_is_as_large_as_the_larger() -> None:
    valid = torch.tensor([[4, 8], [6, 5]])
    found = both_valid({"valid_hw": valid}, torch.tensor([1, 0]))["valid_hw"]
    assert found.tolist() == [[6, 8], [6, 8]]
