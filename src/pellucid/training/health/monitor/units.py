"""Units that no longer take part: ReLUs that are 0 whatever comes in, and tanh or sigmoid pressed against their ends.

Both stop learning, because the slope is 0 there. What is wrong shows in when it began: at the first look it is the
start, later it is the rate.

Source: CS231n, lecture 6 ("dead ReLU": "bad initialisation, or a learning rate that is too high").
"""

from pellucid.core.verdict import Status, Verdict
from pellucid.training.health.monitor.causes import INITIALISATION, INPUT
from pellucid.training.health.monitor.history import History
from pellucid.training.health.monitor.snapshot import Activation, Snapshot

DEAD_RULE, SATURATED_RULE = "dead-units", "saturated-units"
MOST_DEAD = 0.5  # of one layer; healthy runs stay below 0.3
CUT = 0.999  # of one layer: nothing gets through
MOST_SATURATED = 0.75  # of one layer, in `LOOKS` looks; a layer with a normal input of deviation 1 has 0.14 in tanh
LOOKS = 3
UNSCALED = 5.0  # deviation, or mean, of an input that was not standardised


def dead_units(history: History) -> Verdict | None:
    """Judge the layer with the largest share of dead units; None where no unit can die, or before the third look."""
    look = history.recent[-1]
    layers = {name: layer for name, layer in look.activations.items() if layer.dead is not None}
    if not layers:
        return None
    # The first of the worst: what comes after a dead layer has nothing to fire at.
    worst = max(layers, key=lambda name: layers[name].dead or 0.0)
    dead, born = layers[worst].dead or 0.0, layers[worst].born_dead or 0.0
    if dead <= MOST_DEAD:
        return Verdict(DEAD_RULE, "pass", f"at most {dead:.0%} of a layer's units are always 0 ({worst})")
    hit = [name for name, layer in layers.items() if (layer.dead or 0.0) > MOST_DEAD]
    also = f", and more than half in {len(hit) - 1} more" if len(hit) > 1 else ""
    evidence = (
        f"{dead:.0%} of the units of {worst} are 0 on every picture seen since step {history.recent[0].step}{also}"
    )
    status: Status = "fail" if dead >= CUT else "warn"
    if born >= dead / 2:
        return Verdict(
            DEAD_RULE,
            status,
            f"{evidence}; they were so at the first step",
            f"{INITIALISATION}a bias far below 0, or weights whose sums are negative for every picture",
            "start biases at 0 and weights by He's rule, and subtract the mean from the input",
        )
    pace = max((p for p in history.paces), key=lambda p: p.largest, default=None)
    how = f"; a step moved weights by {pace.largest:.2g} of their length (step {pace.step})" if pace else ""
    return Verdict(
        DEAD_RULE,
        status,
        f"{evidence}; they were alive at first{how}",
        "a learning rate that is too high: one large step pushed them below 0 for good",
        "train again with a tenth of --lr, a longer --warmup-epochs, or --clip-norm 1; or use batch norm or leaky ReLU",
    )


def saturated_units(history: History) -> Verdict | None:
    """Judge the layer whose tanh or sigmoid lies at its ends most; None where there is neither."""
    looks = history.recent[-LOOKS:]
    layers = {name: layer for name, layer in looks[-1].activations.items() if layer.saturated is not None}
    if not layers:
        return None
    worst = max(layers, key=lambda name: layers[name].saturated or 0.0)
    shares = [_saturated(look, worst) for look in looks]
    evidence = f"{shares[-1]:.0%} of the numbers of {worst} ({layers[worst].kind}) lie near an end"
    if len(looks) < LOOKS or min(shares) <= MOST_SATURATED:
        return Verdict(SATURATED_RULE, "pass", evidence)
    first = history.first or looks[0]
    evidence += f" in the last {LOOKS} looks, {_saturated(first, worst):.0%} in the first"
    if _saturated(first, worst) <= MOST_SATURATED:
        cause = "a learning rate that is too high: the weights grew until their sums left the range of the activation"
        return Verdict(SATURATED_RULE, "warn", evidence, cause, "train again with a tenth of --lr, or --clip-norm 1")
    mean, deviation = first.input_mean, first.input_std
    if mean is not None and deviation is not None and max(abs(mean), deviation) > UNSCALED:
        return Verdict(
            SATURATED_RULE,
            "warn",
            f"{evidence}; the input has mean {mean:.3g} and deviation {deviation:.3g}",
            f"{INPUT}its sums are far beyond the range of the activation",
            "standardise the input: --preprocess standardise, or leave --preprocess out",
        )
    return Verdict(
        SATURATED_RULE,
        "warn",
        f"{evidence}; the input is scaled",
        f"{INITIALISATION}the weights start too large",
        "start weights with Xavier's deviation sqrt(2 / (inputs + outputs))",
    )


def _saturated(look: Snapshot, name: str) -> float:
    layer: Activation | None = look.activations.get(name)
    return (layer.saturated or 0.0) if layer else 0.0
