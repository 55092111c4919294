"""Rule `checkerboard`: transposed convolutions whose windows overlap unevenly.

With a kernel that is no multiple of the stride, some outputs get more taps than their neighbours: a pattern that the
weights have to learn to cancel. Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill, 2016.
"""

from collections import Counter

from pellucid.core.verdict import Verdict
from pellucid.nn.geometry.arithmetic import effective_size
from pellucid.nn.lint.about import About, listed

RULE = "checkerboard"


def checkerboard(about: About) -> list[Verdict]:
    """Kernels that the stride does not divide."""
    found = []
    for node in about.graph.of("convolution"):
        _, weight, _, strides, _, dilations, transposed = node.args[:7]
        if transposed and any(
            _uneven(taps, step, dilation) for taps, step, dilation in zip(weight[2:], strides, dilations, strict=True)
        ):
            reach = "x".join(str(effective_size(t, d)) for t, d in zip(weight[2:], dilations, strict=True))
            found.append(f"{node.name} (kernel {reach}, stride {'x'.join(map(str, strides))})")
    if not found:
        return [Verdict(RULE, "pass", "every transposed convolution overlaps evenly, or there is none")]
    return [
        Verdict(
            RULE,
            "warn",
            f"{listed(found)}: the stride does not divide the kernel",
            "neighbouring outputs get different numbers of taps, which shows as a checkerboard",
            "take a kernel that is a multiple of the stride, such as 4 for 2, or resize and then convolve",
        )
    ]


def _uneven(taps: int, stride: int, dilation: int) -> bool:
    """Whether outputs at different places between two inputs get different numbers of taps."""
    hits = Counter(tap * dilation % stride for tap in range(taps))
    return len({hits[place] for place in range(stride)}) > 1
