"""`report.html`: the run on one page."""

import math
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.core.files import read_lines, read_text, write_text
from pellucid.core.progress import Progress, Quiet
from pellucid.data.prepare import Splits
from pellucid.plots.bars import bars
from pellucid.plots.curves import curves
from pellucid.plots.things.boxes import draw_boxes
from pellucid.report.blocks import (
    Block,
    Cell,
    Code,
    Facts,
    Figure,
    Note,
    Number,
    Picture,
    Pictures,
    Section,
    Table,
    Verdicts,
)
from pellucid.report.page import page
from pellucid.runs.checking.layers import layers_section
from pellucid.runs.evaluate import Evaluation, evaluate_run, own_splits, stored_test
from pellucid.runs.picturing.again import LookAgain
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.rate_finder import draw_found
from pellucid.runs.stored.record import Record
from pellucid.training.health.curves.diagnose import points
from pellucid.training.health.curves.recorded import recorded_curve

SAMPLES = 16
AVERAGES = re.compile(r"a[pr]\d*")  # average precision and recall are written large: AP50
PROBLEMS = 20
WORDS = {
    "miou": "mean IoU",
    "dice": "mean Dice",
    "ece": "ECE",
    "top5": "top-5 accuracy",
    "macro_f1": "macro F1",
    "brier": "Brier score",
    "boundary_f1": "boundary F1",
    "frequency_weighted_iou": "frequency-weighted IoU",
    "f1": "F1",
    "best_conf": "best least score",
}
WHERE = {
    "test": "the test split, which no choice was made on",
    "val": "the validation split, which also picked the best epoch",
}


def write_report(
    run: Record, splits: Splits | None, evaluation: Evaluation | None = None, progress: Progress | None = None
) -> Path:
    """Write the page.

    Args:
        evaluation: what it is about. None takes what the last opening of the test split found; before there
            was one, the validation split is measured. The test split is never opened here.
    """
    progress = progress or Quiet()
    splits = splits or own_splits(run, progress)
    evaluation = evaluation or stored_test(run, splits)
    if evaluation is None and len(splits.split.val):
        evaluation = evaluate_run(run, None, "val", progress)
    sections = [
        *_result(run, evaluation),
        *_fitting(run, splits),
        *layers_section(run.folder),
        _data(run, splits),
        _speed(run),
        _reproduce(run),
    ]
    path = run.folder / files.REPORT
    title = f"{run.facts.source}: {run.config.title}"
    text = page(title, _lead(run, evaluation), _numbers(run, evaluation), sections, f"Pellucid {run.story.version}")
    write_text(path, text)
    return path


def _lead(run: Record, evaluation: Evaluation | None) -> str:
    facts = run.facts
    does = "finds things of {} classes" if facts.task == "detect" else "tells {} classes apart"
    text = f"This {run.config.title} {does.format(facts.n_classes)}; it was trained on {facts.n_train:,} pictures."
    if evaluation is None:
        return text + " Nothing was held out, so nothing is known about how well it does on new pictures."
    name = run.trained.task.judged_by(run.config).name
    value, where = evaluation.summary[name], WHERE.get(evaluation.split, evaluation.split)
    if evaluation.split == "val" and _is_fitted(run):
        where = "the validation split" + f", which also picked the best of {len(run.choices)}" * _chosen_by_validation(
            run
        )
    text += f" Its {_words(name)} is {_shown(name, value)} on {where}."
    failed = [verdict for verdict in run.verdicts if verdict.status == "fail"]
    if failed:
        text += f" {len(failed)} check(s) failed; read them before you use it."
    return text


def _numbers(run: Record, evaluation: Evaluation | None) -> list[Number]:
    numbers = []
    if evaluation is not None:
        task = run.trained.task
        for metric in list(dict.fromkeys((task.judged_by(run.config), *task.metrics)))[:3]:
            value = evaluation.summary[metric.name]
            numbers.append(Number(_words(metric.name), _shown(metric.name, value), f"on {evaluation.split}"))
    speed = _rate(run, "train")
    if speed:
        numbers.append(
            Number(
                "fitting speed" if _is_fitted(run) else "training speed",
                f"{speed:,.0f} img/s",
                f"{run.config.train.device}, {run.config.train.precision}",
            )
        )
    return numbers


def _result(run: Record, evaluation: Evaluation | None) -> list[Section]:
    if evaluation is None:
        return []
    numbers = {name: value for name, value in evaluation.summary.items() if isinstance(value, (int, float))}
    if sum(name.startswith("loss/") for name in numbers) == 1:  # the only loss is the loss
        numbers = {name: value for name, value in numbers.items() if not name.startswith("loss/")}
    rows = [(_words(name), value) for name, value in numbers.items()]
    pack, chosen = evaluation.splits.pack, evaluation.splits.split.role(evaluation.role)
    n = len(chosen)
    facts = Facts([(name, f"{value:.4f}" if math.isfinite(value) else "none") for name, value in rows])
    epoch = "" if _is_fitted(run) else f" with the weights of epoch {run.trained.about['best_epoch'] + 1}"
    lead = f"Measured on {n:,} pictures ({evaluation.split}){epoch}."
    blocks: list[Block] = [facts, Verdicts(evaluation.verdicts, "Why the number is so low")]
    openings = read_lines(run.folder / files.OPENINGS, "time", "metric", "value")
    if openings:
        first = openings[0]
        number = f"{first['metric']} {first['value']}"
        often = "once" if len(openings) == 1 else f"{len(openings)} times, first"
        said = f"The test split was opened {often} on {first['time'][:10]} ({number})."
        blocks.append(Note(said, "plain" if len(openings) == 1 else "bad"))

    def get(index: int) -> Image.Image:
        return _picture(np.asarray(pack.images[chosen[index]]))

    look = LookAgain(run.trained, evaluation.splits, evaluation.role)
    own = run.trained.task.sections(evaluation.summary, evaluation.records, run.facts, get, look)
    return [Section("Result", lead, blocks), *own]


def _chosen_by_validation(run: Record) -> bool:
    """Whether candidates of a fitted model were compared on the validation split: folds are two or more."""
    return bool(run.choices) and "fold 2" not in run.choices[0]


def _is_fitted(run: Record) -> bool:
    return run.trained.task.fit(run.config) is not None


def _fitting(run: Record, splits: Splits) -> list[Section]:
    """How the model was made: in one go, or epoch by epoch."""
    fit = run.trained.task.fit(run.config)
    if fit is None:
        return [_training(run)]

    def look(role: Any, index: int) -> tuple[Image.Image, str]:
        row = splits.split.role(role)[index]
        label = int(splits.pack.targets["label"][row])
        return _picture(np.asarray(splits.pack.images[row])), run.facts.classes[label] if label >= 0 else "no label"

    section = fit.section(run.config, run.trained.model, run.facts, run.choices, look)
    return [section, Section("Checks", "", [Verdicts(run.verdicts, "What the checks say")])]


def _training(run: Record) -> Section:
    history = run.history
    epochs = [record["epoch"] + 1 for record in history]
    metric = run.config.train.metric
    loss = {"training": (epochs, [_number(r["train_loss"]) for r in history])}
    blocks: list[Block] = []
    best = run.trained.about["best_epoch"]
    if any("val_loss" in r for r in history):
        loss["validation"] = (epochs, [_number(r.get("val_loss")) for r in history])
        values = [_number(r.get(f"val_{metric}")) for r in history]
        blocks.append(Figure(curves(loss, "Loss", marks=_places(run))))
        mark = next(((e, v) for e, v in zip(epochs, values, strict=True) if e == best + 1), None)
        blocks.append(Figure(curves({metric: (epochs, values)}, f"Validation {_words(metric)}", best=mark)))
    else:
        blocks.append(Figure(curves(loss, "Loss", marks=_places(run))))
    logged = read_lines(run.folder / files.METRICS, "kind", "step", "lr")
    steps = [r for r in logged if r["kind"] == "step" and "gradient_norm" in r]
    at = [r["step"] for r in steps]
    blocks.append(Figure(curves({"rate": (at, [r["lr"] for r in steps])}, "Learning rate", x_label="step")))
    blocks.append(Figure(draw_found(run.folder)))
    norms = [_number(r["gradient_norm"]) for r in steps]
    blocks.append(Figure(curves({"norm": (at, norms)}, "Length of the gradient", x_label="step", log_y=True)))
    blocks.append(Verdicts(run.verdicts, "What the checks say"))
    lead = f"{len(history)} epochs; the best was epoch {best + 1}, and its weights are the ones kept."
    return Section("Training", lead, blocks)


def _places(run: Record) -> list[tuple[float, str]]:
    """Epochs that the verdicts on the curves point at."""
    said = {"curve-overfit": "validation turns", "curve-decay-now": "cut the rate"}
    found = points(recorded_curve(run.folder, run.config, run.trained.task, run.facts))
    return [(epoch, said[rule]) for rule, epoch in found.items() if rule in said]


def _data(run: Record, splits: Splits) -> Section:
    facts = splits.facts
    preprocess = run.facts.preprocess
    size = f"{preprocess.size[0]} x {preprocess.size[1]} px, {'grey' if preprocess.channels == 1 else 'RGB'}"
    numbers = "its numbers come from the training split only"
    if preprocess.mode == "none":
        numbers = "pixel values 0..255 as they are"
    rows: list[tuple[str, Cell] | tuple[str, Cell, str]] = [
        ("source", facts.source),
        ("pictures", f"{facts.n_train:,} training, {facts.n_val:,} validation, {facts.n_test:,} test"),
        ("classes", facts.n_classes),
        ("input", size, f"pictures of another shape: {preprocess.fit}"),
        ("preprocessing", preprocess.mode, numbers),
        ("split", facts.split_hash[:16], "first digits of the hash of the three lists in split.json"),
    ]
    units = {"mask": "pixels", "box_label": "things"}
    unit = next((unit for key, unit in units.items() if key in splits.pack.targets), "pictures")
    counts = Figure(bars({unit: facts.class_counts}, facts.classes, f"Training {unit} of each class"))
    blocks: list[Block] = [
        Facts(rows),
        counts,
        Pictures(
            _samples(run, splits), "Exactly what enters the model" + ", after augmentation" * (not _is_fitted(run))
        ),
    ]
    kinds = Counter(problem.kind for problem in splits.problems)
    if kinds:
        skipped = [(p.record, p.kind, p.reason) for p in splits.problems[:PROBLEMS]]
        note = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        blocks.append(Table(("record", "kind", "reason"), skipped, note=f"In all: {note}.", title="Left out"))
    return Section("Data", "", blocks)


def _samples(run: Record, splits: Splits) -> list[Picture]:
    """The first augmented training batch, undone only as far as a screen needs."""
    batch = next(splits.loader("train", SAMPLES, seed=run.config.train.seed, training=True).epoch(0))
    names = [""] * len(batch["image"])
    if "label" in batch:
        names = [splits.facts.classes[k] if k >= 0 else "no label" for k in batch["label"].tolist()]
    if "label_mix" in batch:  # what else is in the picture, where something is
        others = zip(batch["label_mix"][:, 1].tolist(), batch["label_mix_weight"].tolist(), strict=True)
        pairs = zip(names, others, strict=True)
        names = [f"{name} + {w:.0%} {splits.facts.classes[k]}" if w else name for name, (k, w) in pairs]
    images = batch["image"].round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    shown = [_picture(image) for image in images]
    if "box_label" in batch:
        columns = (shown, batch["boxes_xyxy"].numpy(), batch["box_label"].numpy())
        classes = splits.facts.classes
        shown = [draw_boxes(image, boxes[k >= 0], k[k >= 0], classes) for image, boxes, k in zip(*columns, strict=True)]
    return [Picture(image, name) for image, name in zip(shown, names, strict=True)]


def _speed(run: Record) -> Section:
    cfg = run.config.train
    timing = read_lines(run.folder / files.TIMING, "seconds")
    seconds = sum(record["seconds"] for record in timing)
    rows: list[tuple[str, Cell] | tuple[str, Cell, str]] = [
        (
            "training",
            f"{_rate(run, 'train'):,.0f} pictures a second",
            "" if _is_fitted(run) else "median over the epochs",
        ),
        ("validation", f"{_rate(run, 'val'):,.0f} pictures a second"),
        ("time", f"{seconds:,.0f} s", "training and validation together"),
        ("device", cfg.device),
        ("precision", cfg.precision),
        ("threads", cfg.threads),
        *((name, version) for name, version in run.trained.about["versions"].items()),
    ]
    return Section("Speed and versions", "", [Facts([row for row in rows if not str(row[1]).startswith("0 pictures")])])


def _reproduce(run: Record) -> Section:
    story = run.story
    data, folder = shlex.quote(story.data) if story.data else "DATA", shlex.quote(str(run.folder))
    train = f"pellucid train {data} --task {story.task} --config {shlex.quote(str(run.folder / files.CONFIG))}"
    use = f"pellucid predict {folder} PICTURE.jpg"
    check = f"pellucid verify {folder}"
    config = read_text(run.folder / files.CONFIG)
    lead = "The same settings, seed, data and number of threads on the same machine give the same weights to the bit."
    blocks = [Code("\n".join((train, check, use)), "Train again, check, use"), Code(config, files.CONFIG)]
    return Section("How to reproduce and use it", lead, blocks)


def _rate(run: Record, kind: str) -> float:
    timing = read_lines(run.folder / files.TIMING, "kind", "images_per_second")
    rates = [r["images_per_second"] for r in timing if r["kind"] == kind]
    return float(np.median(rates)) if rates else 0.0


def _picture(array: np.ndarray) -> Image.Image:
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _words(name: str) -> str:
    if name in WORDS:
        return WORDS[name]
    words = name.replace("_", " ").replace("loss/", "loss: ").split(" ")
    return " ".join(word.upper() if AVERAGES.fullmatch(word) else word for word in words)


def _shown(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "none"
    return f"{value:.2%}" if "accuracy" in name or name.startswith("top") else f"{value:.3f}"
