"""The contract of a task: five parts and a config. The training loop knows nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.core.facts import DataFacts

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

    Batch = Mapping[str, Tensor]
    Outputs = dict[str, Tensor]
    Losses = dict[str, Tensor]
    Records = dict[str, Tensor]


@dataclass(frozen=True)
class Metric:
    """The number that counts, and which way is better."""

    name: str
    higher_is_better: bool = True

    def better(self, new: float, old: float | None) -> bool:
        """Whether `new` beats `old`; a NaN never does."""
        if new != new:
            return False
        return old is None or (new > old if self.higher_is_better else new < old)


@dataclass(frozen=True)
class Task:
    """Everything that differs between classifying, segmenting, detecting ...

    Attributes:
        name: as in `--task`.
        config: the dataclass of its settings; imports no torch.
        resolve: `(cfg, facts) -> cfg`: fill in what was left to "auto", once the data is known.
        make_data: `(cfg, source) -> Splits`.
        make_model: `(cfg, facts) -> nn.Module` whose `forward(batch) -> outputs` is the same in
            training and evaluation.
        compute_loss: `(outputs, batch, cfg) -> dict` of named scalars; the loop sums them.
        expected_initial_loss: `(cfg, facts) -> dict`: what theory says each of them is before training.
        score: `(outputs, batch) -> records`: one row a picture, padding masked.
        summarise: `(records, facts) -> dict`: numbers and tables made of all rows.
        metric: which number of the summary decides; its name is a key of the summary.
        metrics: every number of the summary that a user may pick with `--metric`.
        predict: `(model, images, facts) -> results`, one a picture.
        draw: `(image, result) -> image`: the result drawn on the picture.
        target_score: `(outputs, index) -> (N,)`: the score whose gradient explains `index`.
        step: replaces the gradient step, for tasks with several optimisers; None for the common one.
        fit: replaces training, for models that are not trained by gradient steps; None otherwise.
    """

    name: str
    config: type
    resolve: Callable[[Any, DataFacts], Any]
    make_data: Callable[[Any, Any], Any]
    make_model: Callable[[Any, DataFacts], "nn.Module"]
    compute_loss: Callable[["Outputs", "Batch", Any], "Losses"]
    expected_initial_loss: Callable[[Any, DataFacts], dict[str, float]]
    score: Callable[["Outputs", "Batch"], "Records"]
    summarise: Callable[["Records", DataFacts], dict[str, Any]]
    metric: Metric
    metrics: tuple[Metric, ...]
    predict: Callable[["nn.Module", Sequence[Any], DataFacts], list[Any]]
    draw: Callable[["Image", Any], "Image"]
    target_score: Callable[["Outputs", int], "Tensor"]
    step: Callable[..., Any] | None = None
    fit: Callable[..., Any] | None = None
