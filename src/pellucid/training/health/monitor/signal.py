"""A signal that fades or grows from layer to layer, until nothing can be learned from it.

The signal of a layer is how much its units differ from picture to picture. A good start keeps it near that of the
input through all layers (He et al. 2015, arXiv:1502.01852).
"""

from pellucid.core.verdict import Verdict
from pellucid.training.health.monitor.causes import INITIALISATION
from pellucid.training.health.monitor.history import History
from pellucid.training.health.monitor.snapshot import Snapshot

VANISHING_RULE, EXPLODING_RULE = "vanishing-signal", "exploding-signal"
CAN_DIE = ("relu", "hardtanh", "threshold")
FADED = 1e-3  # of the input's deviation; five layers of torch's own start leave 0.01
GROWN_AT_FIRST = 100.0  # times the input's deviation at the first look
GROWN = 1e4  # times, later


def vanishing_signal(history: History) -> Verdict | None:
    """Judge the layer with the weakest signal; None where there are no activations."""
    look, start = history.recent[-1], history.first
    shares = _shares(look)
    if not shares or start is None:
        return None
    weakest = min(shares, key=lambda name: shares[name])  # the first of them, where several have none
    evidence = f"the weakest signal, that of {weakest}, is {shares[weakest]:.2g} of the input's"
    if shares[weakest] >= FADED:
        return Verdict(VANISHING_RULE, "pass", evidence)
    layer = look.activations[weakest]
    source = look.weights.get(layer.weight)
    zeros = source is not None and source.rms == 0
    if layer.std == layer.mean == 0 and layer.kind in CAN_DIE and not zeros:
        return None  # shut off, not faded: a matter of `dead-units`
    if zeros:
        return Verdict(
            VANISHING_RULE,
            "fail",
            f"{evidence}; {layer.weight} is all 0",
            f"{INITIALISATION}with zeros, all units of a layer are the same and get the same gradient, or none",
            "start weights at random, by He's rule for ReLU and Xavier's for tanh; zeros are for biases only",
        )
    if _shares(start).get(weakest, 1.0) < FADED:
        return Verdict(
            VANISHING_RULE,
            "fail",
            f"{evidence}, and was so at the first step; it fades from layer to layer",
            f"{INITIALISATION}the weights start too small for a network of this depth",
            "start weights by He's rule for ReLU and Xavier's for tanh, or put batch norm between the layers",
        )
    return Verdict(
        VANISHING_RULE,
        "fail",
        f"{evidence}; at the first step it was {_shares(start).get(weakest, 1.0):.2g}",
        "the layer has collapsed in training: a learning rate or a weight decay that is too high",
        "train again with a tenth of --lr, or a smaller --weight-decay",
    )


def exploding_signal(history: History) -> Verdict | None:
    """Judge the layer with the strongest signal; None where there are no activations."""
    look, start = history.recent[-1], history.first
    shares = _shares(look)
    if not shares or start is None:
        return None
    at_first = _shares(start)
    strongest = max(shares, key=lambda name: shares[name])
    evidence = f"the strongest signal, that of {strongest}, is {shares[strongest]:.2g} times the input's"
    if max(at_first.values(), default=0.0) > GROWN_AT_FIRST:
        strongest = max(at_first, key=lambda name: at_first[name])
        return Verdict(
            EXPLODING_RULE,
            "fail",
            f"at the first step the signal of {strongest} was {at_first[strongest]:.2g} times the input's, "
            "and it grows from layer to layer",
            f"{INITIALISATION}the weights start too large",
            "start weights by He's rule for ReLU and Xavier's for tanh, or put batch norm between the layers",
        )
    if shares[strongest] <= GROWN:
        return Verdict(EXPLODING_RULE, "pass", evidence)
    return Verdict(
        EXPLODING_RULE,
        "fail",
        f"{evidence}; at the first step it was {at_first.get(strongest, 0.0):.2g}",
        "a learning rate that is too high: the weights grow with every step",
        "train again with a tenth of --lr, a longer --warmup-epochs, or --clip-norm 1",
    )


def _shares(look: Snapshot) -> dict[str, float]:
    """Signal of each activation over the deviation of the input, or over 1 where that is unknown or 0."""
    return {name: layer.signal / (look.input_std or 1.0) for name, layer in look.activations.items()}
