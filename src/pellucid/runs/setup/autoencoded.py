"""`--autoencode-epochs`: what a network learns from pictures alone, labelled or not, as the start of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.core.progress import Progress
from pellucid.core.seed import derive, seed_everything
from pellucid.core.task import Task
from pellucid.data.prepare import Splits
from pellucid.nn.precision import place_model
from pellucid.ops.normalise import normalise
from pellucid.runs.setup.assemble import let_look
from pellucid.training.transfer.autoencoder import autoencode


@dataclass(frozen=True)
class Learned:
    """A start that an autoencoder has found.

    Attributes:
        tensors: of the whole network, by name; its last layer is at its random start.
        errors: of each epoch, as a share of the variance of the pixels.
    """

    tensors: dict[str, Tensor]
    errors: list[float]


def autoencoder_epochs(cfg: Any) -> int:
    """How many were asked for; 0 for tasks that have no such start."""
    transfer = getattr(cfg, "transfer", None)
    return transfer.autoencode_epochs if transfer else 0


def learn(task: Task, cfg: Any, splits: Splits, device: torch.device, progress: Progress) -> Learned | None:
    """Train the network of a resolved config as the encoder; None when that was not asked for.

    It sees every picture of the training split, augmented as in training, and no label. The same settings give the same
    bytes.

    Raises:
        ConfigError: the network does not end in a linear layer, or the error stopped being a number.
    """
    epochs = autoencoder_epochs(cfg)
    if not epochs:
        return None
    seed_everything(cfg.train.seed)
    model = task.make_model(cfg, splits.facts)
    let_look(model, splits, cfg.train.seed)
    model = place_model(model, device)
    net: nn.Module = model.net  # type: ignore[assignment]
    seed, preprocess = derive(cfg.train.seed, "autoencoder"), splits.facts.preprocess
    batches = splits.loader("train", cfg.train.batch, seed=seed, device=device, training=True, unlabelled=True)

    def pictures(epoch: int) -> Iterator[Tensor]:
        return (normalise(batch["image"], preprocess) for batch in batches.epoch(epoch))

    with progress.bar("Autoencoder", epochs * len(batches)) as advance:
        errors = autoencode(
            net,
            (preprocess.channels, *preprocess.size),
            pictures,
            epochs,
            len(batches),
            seed,
            told=lambda done, error: advance(done, f"error {error:.3g}"),
        )
    progress.event("autoencoder", {"errors": [round(error, 4) for error in errors]})
    return Learned({name: tensor.detach().cpu().clone() for name, tensor in net.state_dict().items()}, errors)


def sentence(epochs: int, n: int, learned: Learned | None) -> str:
    """What the run starts from; before it is learned, what it will start from."""
    what = f"an autoencoder of {epochs} epoch{'s' * (epochs > 1)} over {n:,} pictures, without their labels"
    if learned is None:
        return f"Starts from {what}."
    first, last = learned.errors[0], learned.errors[-1]
    course = f"its error went from {first:.2f} to {last:.2f}" if epochs > 1 else f"its error was {last:.2f}"
    return f"Starts from {what}; {course} of the pixels' variance."
