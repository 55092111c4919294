"""Rules `double-softmax` and `activation-at-the-end`: what stands after the last layer.

The losses of this house take logits and apply softmax themselves, like torch's cross-entropy.
"""

from pellucid.core.verdict import Verdict
from pellucid.nn.lint.about import About
from pellucid.nn.lint.placement import ACTIVATIONS

FLATTENED = (
    "the loss applies softmax itself; of numbers between 0 and 1 it makes nearly equal shares, the loss cannot come "
    "near 0, and gradients are tiny"
)


def double_softmax(about: About) -> list[Verdict]:
    """A softmax at the end, before a loss that has one."""
    verdicts = []
    for index in about.graph.answers:
        node = about.graph.behind(about.graph.nodes[index])
        if node.operation in ("_softmax", "_safe_softmax", "softmax"):
            verdicts.append(
                Verdict("double-softmax", "fail", f"the network ends with softmax ({node.name})", FLATTENED, CURE)
            )
        elif node.operation in ("_log_softmax", "log_softmax"):
            verdicts.append(
                Verdict(
                    "double-softmax",
                    "warn",
                    f"the network ends with log-softmax ({node.name})",
                    "the loss applies it again, which changes nothing and costs time; as logits it misleads readers",
                    CURE,
                )
            )
    return verdicts or [Verdict("double-softmax", "pass", "the network ends with logits")]


def activation_at_the_end(about: About) -> list[Verdict]:
    """A nonlinearity after the last layer, which cuts off part of what logits may be."""
    for index in about.graph.answers:
        node = about.graph.behind(about.graph.nodes[index])
        if node.operation in ACTIVATIONS:
            return [
                Verdict(
                    "activation-at-the-end",
                    "warn",
                    f"the network ends with {node.operation} ({node.name})",
                    "logits may be any number; cut off at one side, an answer cannot be ruled out, and gradients stop",
                    "leave it out",
                )
            ]
    return [Verdict("activation-at-the-end", "pass", "no activation stands after the last layer")]


CURE = "leave it out of the network, and apply it to predictions only"
