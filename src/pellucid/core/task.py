"""The contract of a task: five parts and a config. The training loop knows nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.core.facts import DataFacts
from pellucid.core.verdict import Verdict

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn

    Batch = Mapping[str, Tensor]
    Outputs = dict[str, Tensor]
    Losses = dict[str, Tensor]
    Records = dict[str, Tensor]
    Look = Callable[[Sequence[int]], tuple[Batch, Outputs]]


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


TOGETHER = 32  # pictures


@dataclass(frozen=True)
class Wishes:
    """The wishes of a task whose predictions take none."""

    @property
    def together(self) -> int:
        """How many pictures are handed to `predict` at once; fewer where their results are large."""
        return TOGETHER

    @property
    def for_saving(self) -> str:
        """Name of a wish that was stated and means something only where results are saved; "" for none."""
        return ""


@dataclass(frozen=True)
class Fit:
    """How a model is made that is not trained by gradient steps: in one go, from the whole training split.

    Attributes:
        run: `(cfg, splits, model, progress) -> Fitted`: fills the buffers of the model in place.
        section: `(cfg, model, facts, choices, look) -> Section` of the report: what was chosen, and how. `choices` are
            rows of text, as they were read back from a file; `look(role, index)` is a picture of a split and the name
            of its class.
    """

    run: Callable[..., "Fitted"]
    section: Callable[..., Any]


@dataclass(frozen=True)
class Fitted:
    """What fitting has to tell.

    Attributes:
        choices: the candidates that were tried, a table with `write_csv(path)`; None when nothing was chosen.
        verdicts: what was found on the way.
        note: one sentence about what was made.
    """

    choices: Any = None
    verdicts: Sequence[Verdict] = ()
    note: str = ""


def trained_by_steps(cfg: Any) -> None:
    """The `fit` of a task all of whose models are trained by gradient steps."""


def from_scratch(cfg: Any) -> tuple[Any, None]:
    """The `borrow` of a task whose networks always start from random weights."""
    return cfg, None


def all_at_once(cfg: Any, facts: DataFacts, net: "nn.Module") -> None:
    """The `plan` of a task that trains every parameter, all at one rate."""


def by_pictures(batch: "Batch", cfg: Any) -> int:
    """The `weigh` of a task whose losses are means over pictures: how many there are."""
    return len(next(iter(batch.values())))


def nothing_known(facts: DataFacts) -> dict[str, float]:
    """The `chance` of a task whose metrics have no such level."""
    return {}


def nothing_to_explain(summary: Mapping[str, Any], records: "Records", facts: DataFacts) -> list[Verdict]:
    """The `explain` of a task that cannot say why its metric is zero."""
    return []


@dataclass(frozen=True)
class Task:
    """Everything that differs between classifying, segmenting, detecting ...

    Attributes:
        name: as in `--task`.
        config: the dataclass of its settings; imports no torch.
        resolve: `(cfg, facts) -> cfg`: fill in what was left to "auto", once the data is known.
        make_data: `(cfg, source, progress, preprocess, whole) -> Splits`; see `data.prepare`.
        make_model: `(cfg, facts) -> nn.Module` whose `forward(batch) -> outputs` is the same in
            training and evaluation, and whose `net` is the plain network inside.
        compute_loss: `(outputs, batch, cfg) -> dict` of named scalars, already weighted; the loop sums them.
        expected_initial_loss: `(cfg, facts) -> dict`: what theory says each of them is before training; NaN where that
            depends on the pictures.
        score: `(outputs, batch) -> records`: one row a picture, padding masked.
        summarise: `(records, facts) -> dict`: numbers and tables made of all rows.
        metrics: the numbers of the summary that can pick the best model; the first does unless `--metric`
            names another. Each name is a key of the summary.
        predict: `(model, images, facts, wishes) -> results`, one a picture; see `runs.predict` for what a result is.
        draw: `(image, result) -> image`: the result drawn on the picture.
        sections: `(summary, records, facts, picture, look) -> sections` of the report; `look(indices)` is the batch of
            some records and what the model says of them, for what no record holds; `picture(index)` is a
            record's image.
        target_score: `(outputs, index) -> (N,)`: the score whose gradient explains `index`.
        step: replaces the gradient step, for tasks with several optimisers; None for the common one.
        fit: `(cfg) -> Fit`, for models that are not trained by gradient steps; None for those that are.
        fitted: names of the models that `fit` knows.
        borrow: `(cfg) -> cfg, Borrowed`: weights to start from, read before any picture, and the settings that follow
            from them; None from scratch. See `tasks.classify.transfer`.
        weigh: `(batch, cfg) -> number or 0-dim tensor`: what the mean in each loss is divided by, so that the losses of
            a batch are the means of those of its parts, each by its share of this. A dict of them, by name of the loss,
            where losses are means over different things.
        plan: `(cfg, facts, net) -> Plan`: what is frozen when, and at which rate the rest is trained; None trains
            everything at one rate. See `training.transfer`.
        chance: `(facts) -> metric -> value`: what the best answer reaches that is always the same, where that is known.
        explain: `(summary, records, facts) -> verdicts`: why the number that counts is no better than chance; none
            when nothing but more training is missing. See `doctor.why_zero`.
        teach: `(batch, facts) -> batch`: the same pictures with made-up truth from which every part of a network has
            something to learn; None where every batch is such.
        wishes: what can be asked of `predict`, a dataclass that imports no torch; its fields are flags of `pellucid
            predict` and keywords of `Run.predict`.
        gather: `(wishes, facts) -> object` that is told what is coming (`expect(names)`), takes every result
            that is saved (`add(result)`) and has at last
            `files()`, name -> content of what is kept of all together; None where nothing is.
        nothing_found: `(model, images, facts, wishes) -> str`: a sentence for the user where every result of these
            pictures has the length 0; None where results always say something.
    """

    name: str
    config: type
    resolve: Callable[[Any, DataFacts], Any]
    make_data: Callable[..., Any]
    make_model: Callable[[Any, DataFacts], "nn.Module"]
    compute_loss: Callable[["Outputs", "Batch", Any], "Losses"]
    expected_initial_loss: Callable[[Any, DataFacts], dict[str, float]]
    score: Callable[["Outputs", "Batch"], "Records"]
    summarise: Callable[["Records", DataFacts], dict[str, Any]]
    metrics: tuple[Metric, ...]
    predict: Callable[["nn.Module", Sequence[Any], DataFacts, Any], list[Any]]
    draw: Callable[["Image", Any], "Image"]
    sections: Callable[[dict[str, Any], "Records", DataFacts, Callable[[int], "Image"], "Look"], list[Any]]
    target_score: Callable[["Outputs", int], "Tensor"]
    step: Callable[..., Any] | None = None
    fit: Callable[[Any], Fit | None] = trained_by_steps
    fitted: tuple[str, ...] = ()
    borrow: Callable[[Any], tuple[Any, Any]] = from_scratch
    plan: Callable[[Any, DataFacts, "nn.Module"], Any] = all_at_once
    weigh: Callable[["Batch", Any], "float | Tensor | Mapping[str, Tensor]"] = by_pictures
    chance: Callable[[DataFacts], dict[str, float]] = nothing_known
    explain: Callable[[dict[str, Any], "Records", DataFacts], list[Verdict]] = nothing_to_explain
    teach: Callable[["Batch", DataFacts], dict[str, "Tensor"]] | None = None
    wishes: type[Wishes] = Wishes
    gather: Callable[[Any, DataFacts], Any] | None = None
    nothing_found: Callable[["nn.Module", Sequence[Any], DataFacts, Any], str] | None = None

    @property
    def metric(self) -> Metric:
        """The number that decides when the user picks none."""
        return self.metrics[0]

    def judged_by(self, cfg: Any) -> Metric:
        """The number that decides in a run with these settings, which are resolved or not."""
        return next((each for each in self.metrics if each.name == cfg.train.metric), self.metric)
