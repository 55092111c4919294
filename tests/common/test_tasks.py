"""One battery for every task of the table: what a task promises the loop, the report and the user."""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
import tiny

from pellucid.core import config as settings
from pellucid.core.facts import DataFacts
from pellucid.core.seed import seed_everything
from pellucid.core.task import Task
from pellucid.data.prepare import Splits
from pellucid.nn.precision import as_float32
from pellucid.report.blocks import Section
from pellucid.tasks import CONFIGS, TASKS, WISHES, get_task
from pellucid.training.scoring import evaluate

CPU = torch.device("cpu")
OF_CLASSES = ("classify", "segment")  # tasks whose only output are scores of classes, and whose loss weighs these


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    return get_task(request.param)


def skip_unless_scores(task: Task) -> None:
    if task.name not in OF_CLASSES:
        pytest.skip("this task's outputs are not scores of classes")


@pytest.fixture
def splits(task: Task) -> Splits:
    cfg = settings.change(task.config(), {"val_fraction": 0.25, "test_fraction": 0.25, "augment": False})
    return task.make_data(cfg, tiny.SOURCES[task.name]())


@pytest.fixture
def cfg(task: Task, splits: Splits) -> Any:
    return task.resolve(task.config(), splits.facts)


def model_of(task: Task, cfg: Any, facts: DataFacts) -> torch.nn.Module:
    seed_everything(0)
    return task.make_model(cfg, facts)


def first(splits: Splits, n: int) -> dict[str, torch.Tensor]:
    return next(splits.loader("train", n).epoch(0))


def test_tables_agree() -> None:
    assert list(TASKS) == list(CONFIGS) == list(WISHES)
    for name in TASKS:
        assert get_task(name).name == name
        assert get_task(name).config is CONFIGS[name]
        assert get_task(name).wishes is WISHES[name]
        assert set(tiny.SOURCES) == set(TASKS), "every task needs a tiny data set, or this battery skips it"


def test_splits_are_disjoint_and_facts_fit(task: Task, splits: Splits) -> None:
    facts = splits.facts
    assert facts.task == task.name
    assert (facts.n_train, facts.n_val, facts.n_test) == (12, 6, 6)
    rows = np.concatenate([splits.split.role(role) for role in ("train", "val", "test")])
    assert sorted(rows) == list(range(24))
    assert len(facts.class_counts) == facts.n_classes


def test_batches_hold_what_the_contract_says(task: Task, splits: Splits) -> None:
    batch = first(splits, 5)
    side = tiny.SIDES[task.name]
    assert batch["image"].shape == (5, 3, side, side)
    assert batch["image"].dtype == torch.uint8
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)
    wanted = {"label": (5,), "mask": (5, side, side), "box_label": (5, 2)}
    keys = [key for key in wanted if key in batch]
    assert keys
    for key in keys:
        assert batch[key].shape == wanted[key]
        assert batch[key].dtype == torch.int64
    if "box_label" in batch:
        assert batch["boxes_xyxy"].shape == (5, 2, 4) and batch["boxes_xyxy"].dtype == torch.float32
        assert batch["is_crowd"].shape == (5, 2) and batch["is_crowd"].dtype == torch.bool
        assert batch["box_area"].shape == (5, 2) and batch["canvas_affine"].shape == (5, 2, 3)
    assert batch["index"].dtype == torch.int64


def test_initial_loss_is_what_theory_says(task: Task, cfg: Any, splits: Splits) -> None:
    batch = first(splits, 12)
    model = model_of(task, cfg, splits.facts).train()
    losses = task.compute_loss(as_float32(model(batch)), batch, cfg)
    theory = task.expected_initial_loss(cfg, splits.facts)
    assert theory.keys() == losses.keys()
    for name, value in theory.items():
        if math.isnan(value):  # it depends on the pictures
            assert math.isfinite(losses[name].item())
        else:
            assert losses[name].item() == pytest.approx(value, rel=0.15)


@pytest.mark.parametrize("values", [{"label_smoothing": 0.2}, {"balance": True}])
def test_theory_holds_with_smoothing_and_weights(task: Task, splits: Splits, values: dict[str, Any]) -> None:
    skip_unless_scores(task)
    cfg = task.resolve(settings.change(task.config(), values), splits.facts)
    batch = first(splits, 12)
    uniform = {name: torch.zeros_like(v) for name, v in model_of(task, cfg, splits.facts)(batch).items()}
    losses = task.compute_loss(uniform, batch, cfg)
    for name, value in task.expected_initial_loss(cfg, splits.facts).items():
        assert losses[name].item() == pytest.approx(value, rel=1e-5)


def test_overfits_two_examples(task: Task, cfg: Any, splits: Splits) -> None:
    batch = first(splits, 2)
    model = model_of(task, cfg, splits.facts).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    at_first = sum(task.expected_initial_loss(cfg, splits.facts).values())
    left = 0.2 if math.isnan(at_first) else 0.1  # losses of boxes have floors above 0, as targets lie between 0 and 1
    for _ in range(60):
        optimiser.zero_grad()
        loss = sum(task.compute_loss(as_float32(model(batch)), batch, cfg).values())
        at_first = loss.item() if math.isnan(at_first) else at_first
        loss.backward()
        optimiser.step()
    assert loss.item() < left * at_first


def test_gradients_reach_every_parameter(task: Task, cfg: Any, splits: Splits) -> None:
    batch = first(splits, 8)
    model = model_of(task, cfg, splits.facts).train()
    sum(task.compute_loss(as_float32(model(batch)), batch, cfg).values()).backward()
    dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []


def test_batch_equals_singles(task: Task, cfg: Any, splits: Splits) -> None:
    batch = first(splits, 4)
    model = model_of(task, cfg, splits.facts).eval()
    together = model(batch)
    each = [model({name: value[row : row + 1] for name, value in batch.items()}) for row in range(4)]
    for name, value in together.items():
        alone = [one[name] for one in each]
        if value.dim():
            torch.testing.assert_close(torch.cat(alone), value, rtol=1e-4, atol=1e-4)
        else:  # a loss, the mean over the pictures
            torch.testing.assert_close(torch.stack(alone).mean(), value, rtol=1e-4, atol=1e-5)


def test_scores_do_not_depend_on_how_records_are_batched(task: Task, cfg: Any, splits: Splits) -> None:
    model = model_of(task, cfg, splits.facts)
    summaries = []
    for size in (12, 5, 1):
        loader = splits.loader("train", size)
        summary, records = evaluate(task, cfg, splits.facts, model, loader.epoch(0), "fp32", CPU)
        assert len(records["index"]) == 12
        summaries.append({k: v for k, v in summary.items() if isinstance(v, float) and not k.startswith("loss")})
    for other in summaries[1:]:
        assert other == pytest.approx(summaries[0], rel=1e-4, nan_ok=True)


def test_perfect_outputs_score_perfectly(task: Task, splits: Splits) -> None:
    batch = first(splits, 12)
    if "box_label" in batch:
        outputs = {
            "found_boxes_xyxy": batch["boxes_xyxy"],
            "found_scores": (batch["box_label"] >= 0).float(),
            "found_labels": batch["box_label"],
        }
    else:
        truth = batch["mask"] if "mask" in batch else batch["label"]
        known = truth.where(truth < splits.facts.n_classes, 0)
        outputs = {"logits": torch.nn.functional.one_hot(known, splits.facts.n_classes).movedim(-1, 1) * 20.0}
    summary = task.summarise(task.score(outputs, batch), splits.facts)
    assert summary[task.metric.name] == pytest.approx(1.0, abs=1e-12)
    for metric in task.metrics:  # those of masks and keypoints come with networks that find some
        assert metric.name in {*summary, "loss"} or metric.name.startswith(("mask_", "keypoint_"))


def test_no_records_at_all_is_defined(task: Task, cfg: Any, splits: Splits) -> None:
    batch = {name: value[:0] for name, value in first(splits, 2).items()}
    model = model_of(task, cfg, splits.facts).eval()
    summary = task.summarise(task.score(model(batch), batch), splits.facts)
    assert np.isnan(summary[task.metric.name])


def test_predict_equals_the_model_on_the_batch(task: Task, cfg: Any, splits: Splits, tmp_path: Path) -> None:
    source = tiny.SOURCES[task.name]()
    model = model_of(task, cfg, splits.facts).eval()
    array = source.images[3]
    Image.fromarray(array).save(tmp_path / "a.png")
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    forms = [array, tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(array), tensor]
    results = task.predict(model, forms, splits.facts, task.wishes())
    plain = [{**result.as_dict(), "image": ""} for result in results]
    assert all(each == plain[0] for each in plain)
    assert results[1].name == str(tmp_path / "a.png")
    assert results[0].name == "picture 1"
    json.dumps(results[0].as_dict())
    assert results[0].row()["image"] == "picture 1"
    assert "<table>" in results[0]._repr_html_()


def test_draw_gives_a_picture(task: Task, cfg: Any, splits: Splits) -> None:
    image = Image.fromarray(tiny.SOURCES[task.name]().images[0])
    model = model_of(task, cfg, splits.facts).eval()
    drawn = task.draw(image, task.predict(model, [image], splits.facts, task.wishes())[0])
    assert drawn.mode == "RGB"
    assert drawn.width >= image.width and drawn.height > image.height


def test_target_score_can_be_differentiated(task: Task, cfg: Any, splits: Splits) -> None:
    outputs = model_of(task, cfg, splits.facts).eval()(first(splits, 3))
    score = task.target_score(outputs, 1)
    assert score.shape == (3,)
    assert score.requires_grad


def test_sections_of_the_report(task: Task, cfg: Any, splits: Splits) -> None:
    model = model_of(task, cfg, splits.facts)
    loader = splits.loader("test", 4)
    summary, records = evaluate(task, cfg, splits.facts, model, loader.epoch(0), "fp32", CPU)
    asked: list[int] = []

    def picture(index: int) -> Image.Image:
        asked.append(index)
        return Image.new("RGB", (8, 8))

    def look(indices: Sequence[int]) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        asked.extend(indices)
        batch = {name: value[list(indices)] for name, value in next(splits.loader("test", 6).epoch(0)).items()}
        return batch, model(batch)

    found = task.sections(summary, records, splits.facts, picture, look)
    assert found and all(isinstance(section, Section) for section in found)
    assert set(asked) <= set(range(6))


def test_class_weights_must_fit_the_classes(task: Task, splits: Splits) -> None:
    skip_unless_scores(task)
    wrong = settings.change(task.config(), {"class_weights": (1.0,) * 7})
    with pytest.raises(settings.ConfigError, match=f"one number for each of the {splits.facts.n_classes} classes"):
        task.resolve(wrong, splits.facts)
    both = settings.change(task.config(), {"class_weights": (1.0,) * splits.facts.n_classes, "balance": True})
    with pytest.raises(settings.ConfigError, match="either --balance or --class-weights, not both"):
        task.resolve(both, splits.facts)


def test_balanced_weights_average_to_one_over_the_data(task: Task, splits: Splits) -> None:
    skip_unless_scores(task)
    facts = replace(splits.facts, class_counts=(1, 3, 0)[: splits.facts.n_classes])
    cfg = task.resolve(settings.change(task.config(), {"balance": True}), facts)
    mean = sum(w * n for w, n in zip(cfg.loss.class_weights, facts.class_counts, strict=True)) / sum(facts.class_counts)
    assert mean == pytest.approx(1.0)
    assert not cfg.loss.balance
