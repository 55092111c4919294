"""A loss that jumps up and stays up for some steps, told apart from the noise of single batches.

Losses are taken in blocks of five steps, each as its median, so that one hard batch is no spike. A jump counts when
two blocks in a row lie far outside the spread of those before (median and median absolute deviation, which one
outlier cannot move) and the rise is a good part of what a network that knows nothing loses.
"""

import statistics

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.history import BLOCK, History

RULE = "loss-spike"
BEFORE = 8  # blocks that a jump is measured against, at least
LATEST = 24  # and at most
DEVIATIONS = 8.0
OF_START = 0.3  # of the loss at the start
RAISED = 1.5  # a rate that grew by this since (a restart, the end of a warm-up) explains a jump


def note_spike(history: History) -> bool:
    """Compare the newest two blocks with those before; whether they are the worst jump, which `history.spike` keeps."""
    *earlier, before, (step, lr, loss) = [(0, 0.0, 0.0), *history.blocks]
    earlier = earlier[1:][-LATEST:]
    if len(earlier) < BEFORE or history.start_loss is None:
        return False
    loss = min(loss, before[2])
    losses = [block[2] for block in earlier]
    usual = statistics.median(losses)
    spread = 1.4826 * statistics.median(
        abs(value - usual) for value in losses
    )  # of a normal distribution: its deviation
    rise = loss - usual
    explained = lr > RAISED * statistics.median(block[1] for block in earlier)
    if explained or rise <= max(DEVIATIONS * spread, OF_START * history.start_loss):
        return False
    if history.spike is not None and rise <= history.spike[1] - history.spike[2]:
        return False
    history.spike = (step, loss, usual)
    return True


def loss_spike(history: History) -> Verdict | None:
    """Judge the worst jump so far; None before there is anything to compare with."""
    if len(history.blocks) <= BEFORE + 1:
        return None
    if history.spike is None:
        return Verdict(RULE, "pass", f"no jump in {len(history.blocks)} blocks of {BLOCK} steps")
    step, loss, usual = history.spike
    evidence = (
        f"at step {step} the loss was {loss:.3g}; before, it was {usual:.3g} (medians over {BLOCK} steps and more)"
    )
    now = history.blocks[-1][2]
    if now <= (loss + usual) / 2 and history.blocks[-1][0] != step:
        return Verdict(RULE, "info", f"{evidence}; it has come down to {now:.3g} again", "a passing instability")
    return Verdict(
        RULE,
        "warn",
        evidence,
        "a step that went too far: a rate at its limit, or a batch unlike the others",
        "train again with --clip-norm 1 or half of --lr, and look at the pictures of that step",
    )
