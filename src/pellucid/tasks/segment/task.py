"""Semantic segmentation: which of K classes does each pixel show?

| outputs | shape | meaning |
|---|---|---|
| `logits` | (N, K, H, W) float32 | unnormalised log-probability of each class, in every pixel of the input |
| `auxiliary` | (N, K, H, W) float32 | the same from a head half-way up; in training, of networks that have such |

| records | shape | meaning |
|---|---|---|
| `confusion` | (N, K, K) int64 | pixels of each picture by true (row) and predicted (column) class |
| `outlines` | (N, K, 4) int64 | pixels on true and on predicted outlines of each class, and which of them are matched |
| `border_errors` | (N, 2, 2) int64 | pixels within 2 px of a true border and away from it: all, and the wrong ones |
| `index` | (N,) int64 | position in the split |
"""

from pellucid.core.task import Task
from pellucid.tasks.segment.config import SegmentConfig
from pellucid.tasks.segment.data import make_data
from pellucid.tasks.segment.loss import compute_loss, expected_initial_loss, weigh
from pellucid.tasks.segment.metrics import METRICS, chance, explain, score, summarise
from pellucid.tasks.segment.model import make_model, resolve
from pellucid.tasks.segment.prediction.draw import draw
from pellucid.tasks.segment.prediction.predict import predict, target_score
from pellucid.tasks.segment.prediction.wishes import SegmentWishes
from pellucid.tasks.segment.report.sections import sections
from pellucid.tasks.segment.transfer import borrow, plan

TASK = Task(
    name="segment",
    config=SegmentConfig,
    resolve=resolve,
    make_data=make_data,
    make_model=make_model,
    compute_loss=compute_loss,
    expected_initial_loss=expected_initial_loss,
    score=score,
    summarise=summarise,
    metrics=METRICS,
    predict=predict,
    draw=draw,
    sections=sections,
    target_score=target_score,
    borrow=borrow,
    plan=plan,
    weigh=weigh,
    chance=chance,
    explain=explain,
    wishes=SegmentWishes,
)
