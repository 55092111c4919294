"""Classification: which of K classes does the picture show?

| outputs | shape | meaning |
|---|---|---|
| `logits` | (N, K) float32 | unnormalised log-probability of each class |
| `auxiliary1`, ... | (N, K) float32 | the same from heads half-way up; in training, of networks that have such |

| records | shape | meaning |
|---|---|---|
| `probabilities` | (N, K) float32 | softmax of the logits |
| `truth` | (N,) int64 | the label; -1 where there is none |
| `index` | (N,) int64 | position in the split |
"""

from pellucid.core.task import Fit, Task
from pellucid.tasks.classify.config import FITTED, ClassifyConfig, ClassifyWishes
from pellucid.tasks.classify.data import make_data
from pellucid.tasks.classify.loss import compute_loss, expected_initial_loss, weigh
from pellucid.tasks.classify.metrics import METRICS, chance, explain, score, summarise
from pellucid.tasks.classify.model import make_model, resolve
from pellucid.tasks.classify.report import sections
from pellucid.tasks.classify.show import draw, predict, target_score
from pellucid.tasks.classify.transfer import borrow, plan


def fit(cfg: ClassifyConfig) -> Fit | None:
    """How the model of these settings is fitted; None when it is a network."""
    if cfg.model.model not in FITTED:
        return None
    from pellucid.tasks.classify.fit import FIT  # scikit-learn takes seconds to import

    return FIT


TASK = Task(
    name="classify",
    config=ClassifyConfig,
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
    fit=fit,
    fitted=FITTED,
    borrow=borrow,
    plan=plan,
    weigh=weigh,
    chance=chance,
    explain=explain,
    wishes=ClassifyWishes,
)
