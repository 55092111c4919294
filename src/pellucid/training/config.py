"""Settings of training that every task shares. Imports no torch, so that `--help` is quick."""

from dataclasses import dataclass, fields
from typing import Literal

from pellucid.core.choose import choose
from pellucid.core.config import require
from pellucid.core.errors import ConfigError

OPTIMISERS = {"sgd": 0.1, "adam": 1e-3, "adamw": 1e-3}  # name -> rate taken when --lr is not given, at batch 128
SCHEDULES = (
    "constant",
    "cosine",
    "restarts",
    "linear",
    "polynomial",
    "one-cycle",
    "step",
    "multi-step",
    "exponential",
    "inverse-sqrt",
    "inverse",
    "plateau",
)
EQUAL = ("polyak", "swa")  # averages in which all weights on the way count the same

# What the course recommends to begin with (`--defaults`): centred pixels and Adam at its usual rate.
COURSE_DEFAULTS = {"preprocess": "centre", "optimiser": "adam", "lr": 1e-3}


@dataclass(frozen=True)
class OptimConfig:
    optimiser: str = "adamw"
    """sgd, adam or adamw."""
    lr: float = 0.0
    """Highest learning rate; 0 takes the optimiser's usual one, scaled with the batch."""
    find_lr: bool = False
    """Search the learning rate before training: a range test, then 100 steps at what it says."""
    momentum: float = 0.9
    """Momentum of sgd; first beta of adam and adamw."""
    nesterov: bool = True
    """Look ahead along the momentum (sgd)."""
    weight_decay: float = 5e-4
    """L2 penalty (sgd, adam) or decoupled decay (adamw) on weights; biases and norms are left alone."""
    decoupled: bool = False
    """Let the weights of sgd and adam decay beside the loss, not by a penalty in it; adamw always does so."""
    l1: float = 0.0
    """L1 penalty on weights, which sets many to exactly 0; with --weight-decay an elastic net."""
    clip_norm: float = 0.0
    """Scale the gradient down to this global norm when it is longer; 0 never does."""
    ema: float = 0.0
    """Keep an exponential average of the weights with this decay (0.999) and evaluate that; 0 does not."""
    average: Literal["none", "ema", "polyak", "swa"] = "none"
    """Weights that are evaluated: an exponential average (--ema, or 0.999), the mean over all steps (polyak), over the
    ends of the last epochs (swa, best at a rate that stays high: --schedule constant), or the last ones (none)."""
    average_from: float = 0.0
    """Share of the run after which polyak and swa begin; 0 is the usual: polyak from the start, swa from 3/4."""

    def __post_init__(self) -> None:
        choose(self.optimiser, OPTIMISERS, "optimiser")
        require(self.lr >= 0, "lr", "0 (automatic) or positive", self.lr)
        if self.find_lr and self.lr:
            raise ConfigError(
                f"--find-lr searches the rate that --lr {self.lr:g} states (as --defaults does). Leave one of them out."
            )
        require(0 <= self.momentum < 1, "momentum", "in [0, 1)", self.momentum)
        require(self.weight_decay >= 0, "weight_decay", "0 or positive", self.weight_decay)
        require(self.l1 >= 0, "l1", "0 (none) or positive", self.l1)
        require(self.clip_norm >= 0, "clip_norm", "0 (never) or positive", self.clip_norm)
        require(0 <= self.ema < 1, "ema", "in [0, 1)", self.ema)
        require(0 <= self.average_from < 1, "average_from", "in [0, 1)", self.average_from)
        if self.ema and self.average in EQUAL:
            raise ConfigError(
                f"--ema and --average {self.average} are two averages, and a run keeps one. Leave one out."
            )
        if self.average_from and self.average not in EQUAL:
            raise ConfigError(
                f"--average-from means nothing beside --average {self.average}, only with {' or '.join(EQUAL)}. Leave "
                "it out."
            )


@dataclass(frozen=True)
class ScheduleConfig:
    schedule: str = "cosine"
    """constant, cosine, restarts (cosine again and again), linear, polynomial, one-cycle, step (or multi-step),
    exponential, inverse-sqrt, inverse or plateau."""
    warmup_epochs: float = 1.0
    """Epochs in which the rate climbs from nearly 0; may be a fraction. one-cycle has its own: a fifth of all."""
    milestones: tuple[int, ...] = ()
    """Epochs at which `step` multiplies the rate by gamma; empty means at 1/3, 2/3 and 8/9 of all."""
    gamma: float = 0.1
    """Factor of `step` (each milestone), `plateau` (each cut) and `exponential` (over the whole run)."""
    plateau_patience: int = 3
    """Epochs without a better metric before `plateau` cuts the rate."""
    power: float = 0.9
    """Exponent of `polynomial`; 1 is linear."""
    cycle_epochs: float = 0.0
    """Length of the first cycle of `restarts`; 0 lets three cycles (or --snapshots) fill the run."""
    cycle_growth: float = 1.0
    """Each cycle of `restarts` is so many times as long as the one before."""
    snapshots: int = 0
    """Let the rate fall in so many cosine cycles and keep the weights at the end of each, in snapshots/, for an
    ensemble; 0 does not."""

    def __post_init__(self) -> None:
        choose(self.schedule, dict.fromkeys(SCHEDULES), "schedule")
        require(self.warmup_epochs >= 0, "warmup_epochs", "0 or positive", self.warmup_epochs)
        require(0 < self.gamma <= 1, "gamma", "in (0, 1]", self.gamma)
        rising = list(self.milestones) == sorted(set(self.milestones)) and all(m > 0 for m in self.milestones)
        require(rising, "milestones", "rising whole numbers above 0", self.milestones)
        require(self.plateau_patience >= 0, "plateau_patience", "0 or positive", self.plateau_patience)
        require(self.power > 0, "power", "positive", self.power)
        require(self.cycle_epochs >= 0, "cycle_epochs", "0 (fill the run) or positive", self.cycle_epochs)
        require(self.cycle_growth >= 1, "cycle_growth", "1 or more", self.cycle_growth)
        require(self.snapshots >= 0, "snapshots", "0 (none) or positive", self.snapshots)
        if self.snapshots and self.schedule not in ("cosine", "restarts"):
            raise ConfigError(
                f"--snapshots lets the rate fall in cosine cycles, not as --schedule {self.schedule}. Leave one out."
            )
        if self.snapshots and self.cycle_epochs:
            raise ConfigError(
                "--snapshots and --cycle-epochs both say how many cycles there are. Leave one of them out."
            )


@dataclass(frozen=True)
class TrainConfig:
    epochs: int = 20
    """How often the training split is gone through."""
    batch: int | Literal["auto"] = 0
    """Pictures in one step (over all machines); 0 takes the task's usual number, less for small sets; auto measures
    which number goes through fastest and fits into memory."""
    accumulate: int = 1
    """Parts in which a batch goes through the model, for less memory: the step stays that of the whole batch."""
    seed: int = 0
    """Decides splits, initial weights, order and augmentation."""
    metric: str = "auto"
    """The validation number that picks the best model and stops early; auto is the task's own."""
    patience: int = 0
    """Stop after so many epochs without a better metric; 0 goes to the end."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto is bf16 where the hardware is faster with it."""
    threads: int = 0
    """CPU threads; 0 takes the free cores. Part of what makes a run repeat to the bit."""
    deterministic: bool = False
    """Refuse GPU operations that do not repeat to the bit (the CPU always repeats)."""
    save_seconds: float = 60.0
    """Save the state for resuming at least this often, beside every epoch's end."""
    monitor: bool = True
    """Look at layers, gradients and updates every so many steps, and say what is wrong, why and what to do."""
    defaults: bool = False
    """Use the course's recommended defaults and say which: ReLU, centred data, He, batch norm, Adam."""

    def __post_init__(self) -> None:
        require(self.epochs >= 1, "epochs", "1 or more", self.epochs)
        require(self.batch == "auto" or self.batch >= 0, "batch", "auto, 0 (the usual) or positive", self.batch)
        require(self.accumulate >= 1, "accumulate", "1 or more", self.accumulate)
        require(self.seed >= 0, "seed", "0 or positive", self.seed)
        require(self.patience >= 0, "patience", "0 (never) or positive", self.patience)
        require(0 <= self.threads <= 512, "threads", "from 0 (automatic) to 512", self.threads)
        require(self.save_seconds >= 0, "save_seconds", "0 (every step) or positive", self.save_seconds)


@dataclass(frozen=True)
class RegulariseConfig:
    """Noise that is put into any network while it is trained. What is evaluated and stored knows nothing of it."""

    dropout: float = 0.0
    """Probability of dropping each number that the last layer gets; replaces a dropout that stands there."""
    channel_dropout: float = 0.0
    """Probability of dropping each whole channel that the last stage of convolutions gets."""
    drop_connect: float = 0.0
    """Probability of leaving out each weight of the last layer."""
    stochastic_depth: float = 0.0
    """Probability of skipping the last residual block; that of the earlier ones falls in a straight line to 0."""

    def __post_init__(self) -> None:
        for each in fields(self):
            require(0 <= getattr(self, each.name) < 1, each.name, "in [0, 1)", getattr(self, each.name))


@dataclass(frozen=True)
class CrossEntropyConfig:
    label_smoothing: float = 0.0
    """Share of the target that is spread evenly over all classes."""
    balance: bool = False
    """Weigh classes by the inverse of how often they occur."""
    class_weights: tuple[float, ...] = ()
    """Weight of each class in the loss, in the order of the classes; replaces --balance."""

    def __post_init__(self) -> None:
        require(0 <= self.label_smoothing < 1, "label_smoothing", "in [0, 1)", self.label_smoothing)
        fits = all(weight >= 0 for weight in self.class_weights) and (not self.class_weights or any(self.class_weights))
        require(fits, "class_weights", "0 or positive, and not all 0", self.class_weights)


@dataclass(frozen=True)
class TransferConfig:
    """Starting from weights that were trained on other pictures."""

    weights: str = ""
    """Start from imagenet (efficientnet_lite0-2), a torchvision or timm file, a run or hub:OWNER/NAME; empty: none."""
    tune: Literal["all", "last"] = "all"
    """What is trained: everything, or the last layer only, which the rest feeds as it is."""
    layer_decay: float = 1.0
    """Rate of each earlier stage of the network: that of the next one times this; 1 trains all at one rate."""
    unfreeze_epochs: int = 0
    """Train the last stage first and one stage more every so many epochs, from the last down; 0 trains all at once."""
    norm_statistics: Literal["auto", "update", "keep"] = "auto"
    """Running statistics of batch norm: update takes the batch's and learns them, keep uses and leaves the stored ones,
    auto keeps them where weights are frozen and updates them where they are trained."""
    head: Literal["auto", "fresh", "keep"] = "auto"
    """Last layer: start it afresh, or keep it; auto keeps it where the classes have the same names."""
    similarity: Literal["auto", "high", "low"] = "auto"
    """How much your pictures are like those of the weights. It changes the advice at the start, not the run."""
    autoencode_epochs: int = 0
    """Start from an autoencoder: learn so many epochs to give pictures back, unlabelled too; 0 starts at random."""

    def __post_init__(self) -> None:
        require(self.autoencode_epochs >= 0, "autoencode_epochs", "0 (none) or positive", self.autoencode_epochs)
        if self.autoencode_epochs and self.weights:
            raise ConfigError(
                f"--autoencode-epochs and --weights {self.weights} are two starts. Leave one of them out."
            )
        require(0 < self.layer_decay <= 1, "layer_decay", "in (0, 1]", self.layer_decay)
        require(self.unfreeze_epochs >= 0, "unfreeze_epochs", "0 (all at once) or positive", self.unfreeze_epochs)
        changed = [each.name for each in fields(self) if getattr(self, each.name) != each.default]
        stated = [name for name in changed if name != "autoencode_epochs"]
        if stated and not self.weights:
            raise ConfigError(
                f"{_flag(stated[0])} needs weights to start from: say --weights imagenet, a file or a run folder, or "
                "leave it out."
            )
        beside = [name for name in ("layer_decay", "unfreeze_epochs") if name in stated]
        if self.tune == "last" and beside:
            raise ConfigError(
                f"{_flag(beside[0])} means nothing beside --tune last, which trains no other layer. Leave one of them "
                "out."
            )


def _flag(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"
