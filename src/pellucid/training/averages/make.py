"""Which average a run keeps, by its settings."""

from torch import nn

from pellucid.training.averages.average import Average
from pellucid.training.averages.ema import Ema
from pellucid.training.averages.equal import EqualMean
from pellucid.training.config import OptimConfig

USUAL_DECAY = 0.999
SWA_FROM = 0.75  # of the run: Izmailov et al. 2018, section 4.1, "75% of the training budget"


def make_average(cfg: OptimConfig, model: nn.Module, epochs: int, steps_per_epoch: int) -> Average | None:
    """The average that `--average` names, or `--ema` alone; None for none."""
    match cfg.average:
        case "ema":
            return Ema(model, cfg.ema or USUAL_DECAY)
        case "polyak":
            return EqualMean(model, round(cfg.average_from * epochs * steps_per_epoch))
        case "swa":
            left_out = int((cfg.average_from or SWA_FROM) * epochs)  # rounded down: one epoch at least is averaged
            return EqualMean(model, left_out * steps_per_epoch, max(steps_per_epoch, 1))
    return Ema(model, cfg.ema) if cfg.ema else None
