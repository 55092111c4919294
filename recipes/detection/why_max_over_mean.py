"""Is it there? Max pooling answers for a small thing among others, mean pooling for what covers everything.

A student asks why max pooling does better than mean pooling; the notes answer that a maximum says how strongly a region
fires, and that this is what detection wants. Tried as detection: a filter that looks for a plus slides over pictures of
64 x 64 pixels, and a ReLU keeps what it finds. (Without the ReLU a mean would know nothing: weights that add up to 0
give answers that do.) The whole map is pooled to one number, and a threshold, set on 400 pictures, says of 400 others
whether there is a plus.

Alone on noise, the plus is found by the maximum without an error. The filter answers a little to other marks; the mean
adds that up and soon knows little but how many marks there are, while the maximum asks whether one of them looks more
like a plus than a plus does. Larger marks help the maximum: the filter averages noise away.

It turns round when the thing is everywhere: pluses so faint that none stands out of the noise add up, and the mean is
the better judge. ([Sparse and spread signals](../from-scratch/questions/max_or_mean.md) have a page of their own.) The
last line pools windows of 16 x 16, as networks do, and moves a plus over their borders: the strongest window's maximum
stays the same, its mean loses more than half where four windows share the plus. Shown are the first pictures on which
the two disagree.

    python recipes/detection/why_max_over_mean.py
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pellucid.plots import svg
from pellucid.report.embed import data_uri

SIDE, PICTURES, NOISE, WINDOW = 64, 400, 0.4, 16
MARKS = ("010 111 010", "101 010 101", "111 101 111", "100 100 111", "001 010 100")  # a plus, and what is none
PLUS, *OTHERS = (np.array([[int(cell) for cell in row] for row in mark.split()]) for mark in MARKS)
POOLS = ("max", "mean")


@dataclass(frozen=True)
class Task:
    """Pictures with a plus or without one."""

    name: str
    size: int = 9  # px of every mark
    others: int = 0
    everywhere: float = 0.0  # how strong pluses are that cover all; 0 for a single one


TASKS = (
    *(Task(f"{others or 'no'} other marks", others=others) for others in (0, 5, 10, 20, 40)),
    *(Task(f"10 other marks, all {size} px", size=size, others=10) for size in (3, 6, 12, 18)),
    *(Task(f"faint pluses everywhere, {share:.0%} as strong", everywhere=share) for share in (0.05, 0.1, 0.2)),
)


def drawn(mark: np.ndarray, size: int) -> np.ndarray:
    """(size, size): the mark of 3 x 3 in larger pixels."""
    return mark.repeat(size // 3, 0).repeat(size // 3, 1).astype(np.float32)


def pictures(task: Task, seed: int, n: int) -> tuple[Tensor, np.ndarray]:
    """(n, 1, 64, 64) and (n,) bool: whether the plus is there, which it is in every other one."""
    rng = np.random.default_rng(seed)
    x, there = np.zeros((n, SIDE, SIDE), dtype=np.float32), np.arange(n) % 2 == 0
    tiles = np.tile(drawn(PLUS, task.size), (SIDE // task.size + 1,) * 2)[:SIDE, :SIDE]
    for i in range(n):
        marks = [OTHERS[k] for k in rng.integers(len(OTHERS), size=task.others)]
        if there[i] and task.everywhere:
            x[i] = task.everywhere * tiles
        elif there[i]:
            marks.append(PLUS)  # comes last and is covered by nothing
        for mark in marks:
            top, left = rng.integers(0, SIDE - task.size + 1, 2)
            x[i, top : top + task.size, left : left + task.size] = drawn(mark, task.size)
    noise = NOISE * rng.standard_normal(x.shape, dtype=np.float32)
    return torch.from_numpy(x + noise)[:, None], there


def responses(x: Tensor, size: int) -> Tensor:
    """(N, 1, h, w): the filter whose weights are the plus itself, brought to mean 0 and length 1, and a ReLU."""
    weights = drawn(PLUS, size) - drawn(PLUS, size).mean()
    return F.conv2d(x, torch.from_numpy(weights / np.linalg.norm(weights))[None, None]).relu()


def pooled(maps: Tensor) -> dict[str, np.ndarray]:
    """(N,) for each kind of pooling over the whole map."""
    return {"max": maps.amax((1, 2, 3)).numpy(), "mean": maps.mean((1, 2, 3)).numpy()}


def threshold(answers: np.ndarray, there: np.ndarray) -> float:
    """The number between two answers that puts most of them on the side where they belong."""
    order = np.argsort(answers)
    k = int(np.cumsum(np.where(there[order], -1, 1))[:-1].argmax())  # up to there more are without than with
    return float(answers[order][k : k + 2].mean())


def accuracy(task: Task, n: int = PICTURES) -> dict[str, float]:
    """Share of new pictures that a threshold set on as many others gets right, for each kind of pooling."""
    (x, there), (new_x, new_there) = (pictures(task, seed, n) for seed in (0, 1))
    answers, new = pooled(responses(x, task.size)), pooled(responses(new_x, task.size))
    return {how: float(((new[how] > threshold(answers[how], there)) == new_there).mean()) for how in POOLS}


def moved(size: int = 9) -> dict[str, float]:
    """Of the strongest of 16 x 16 windows: the least answer over the largest, as a thing moves in steps of a pixel."""
    x = torch.zeros(WINDOW, 1, SIDE, SIDE)
    for step in range(WINDOW):
        at = slice(20 + step, 20 + step + size)
        x[step, 0, at, at] = torch.from_numpy(drawn(PLUS, size))
    maps = responses(x, size)
    windows = {"max": F.max_pool2d(maps, WINDOW), "mean": F.avg_pool2d(maps, WINDOW)}
    strongest = {how: each.amax((1, 2, 3)) for how, each in windows.items()}
    return {how: float(each.min() / each.max()) for how, each in strongest.items()}


def picture(n: int) -> str:
    """Pictures, what the filter answers to them, and what both kinds of pooling make of it."""
    names = ("a plus alone", "a plus among 20", "20 and no plus", "faint everywhere")
    wanted = zip(names, (TASKS[0], TASKS[3], TASKS[3], TASKS[-2]), (True, True, False, True), strict=True)
    parts = [svg.text(0, 18, "A filter that looks for a plus, and two ways to pool it", "title")]
    for column, (name, task, has) in enumerate(wanted):
        x, there = pictures(task, 0, n)
        maps = responses(x, task.size)
        left, answers = 121 * column, pooled(maps)
        parts.append(svg.text(left, 44, name, "soft"))
        says = {how: answers[how] > threshold(answers[how], there) for how in POOLS}
        row = int(((there == has) & (says["max"] != says["mean"])).argmax())  # the first on which they differ
        for top, values, low, high in ((52, x[row, 0], -1.0, 2.0), (176, maps[row, 0], 0.0, float(maps.max()))):
            grey = ((values.clamp(low, high) - low) / (high - low) * 255).numpy().astype(np.uint8)
            parts.append(svg.image(left, top, 116, 116, data_uri(Image.fromarray(grey), exact=True), name))
        for line, how in enumerate(POOLS):
            right, y = says[how][row] == has, 314 + 22 * line
            said = f"{how}: {'yes' if says[how][row] else 'no'}, {'right' if right else 'wrong'}"
            parts.append(svg.text(left, y, said, "" if right else "soft"))
            parts += [] if right else [svg.line(left, y + 4, left + 108, y + 4, "bad")]
    return svg.document(480, 344, "Four pictures, the answers of a filter, and what max and mean say of them.", parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Accuracy of both for every task, and how steady their answers are."""
    found = {task.name: accuracy(task) for task in TASKS}
    found["a plus moves over windows: least answer"] = moved()
    rows = [[name, *(f"{each[how]:.1%}" for how in POOLS)] for name, each in found.items()]
    return ["pictures", *(f"{how} pooling" for how in POOLS)], rows, picture(PICTURES)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(40) for cell in row))
