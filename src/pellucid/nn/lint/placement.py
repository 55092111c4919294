"""Rules `bias-before-norm` and `norm-after-activation`: where batch norm stands.

Ioffe, Szegedy 2015 (https://arxiv.org/abs/1502.03167), section 3.2, put it between a layer and its nonlinearity, and
leave out the bias: the mean that norm subtracts takes any constant with it. Of layer and group norm, whose means run
over several channels, that is not so.
"""

from collections.abc import Iterator

from torch import nn

from pellucid.core.verdict import Verdict
from pellucid.nn.lint.about import About, listed
from pellucid.nn.lint.graph import Graph, Node

ACTIVATIONS = frozenset(
    "relu leaky_relu elu celu selu gelu silu mish hardswish hardtanh softplus tanh sigmoid hardsigmoid "
    "_prelu_kernel threshold clamp clamp_min".split()
)


def bias_before_norm(about: About) -> list[Verdict]:
    """A bias that the norm after it subtracts again."""
    found = []
    for node in _norms(about.graph):
        source = about.graph.before(node)
        only = sum(source.index in other.sources for other in about.graph.nodes) == 1
        if only and _has_bias(source):
            found.append(source.name)
    if not found:
        return [Verdict("bias-before-norm", "pass", "no layer has a bias that a norm takes away")]
    return [
        Verdict(
            "bias-before-norm",
            "warn",
            f"{listed(found)}: a bias goes straight into batch norm",
            "norm subtracts the mean of each channel, and the bias with it; its gradient is 0",
            "give these layers bias=False, unless published weights have the bias",
        )
    ]


def norm_after_activation(about: About) -> list[Verdict]:
    """Norm of what an activation has already cut off."""
    found = []
    for node in _norms(about.graph):
        source = about.graph.before(node)
        if source.operation in ACTIVATIONS and not isinstance(source.module, nn.Identity):
            found.append(f"{node.name} (after {source.operation})")
    if not found:
        return [Verdict("norm-after-activation", "pass", "every batch norm stands before its activation")]
    return [
        Verdict(
            "norm-after-activation",
            "warn",
            f"{listed(found)}: batch norm stands right after an activation",
            "its inputs are cut off at one side, and the layer before gets no centred input to its nonlinearity",
            "put it between the layer and the activation",
        )
    ]


def _norms(graph: Graph) -> Iterator[Node]:
    return (node for node in graph.nodes if "batch_norm" in node.operation)


def _has_bias(node: Node) -> bool:
    if node.operation == "convolution":
        return node.args[2] is not None
    return node.operation == "addmm"
