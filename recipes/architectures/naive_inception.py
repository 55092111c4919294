"""Large kernels side by side are affordable only behind 1x1 convolutions.

An Inception module looks at its input with kernels of 1x1, 3x3 and 5x5 and with a pooling, and lays the feature maps
one after the other. The naive form does just that. On 256 maps of 28 x 28 its 5x5 kernels alone cost 482 million
multiply-adds. And the pooling passes all 256 maps on, so that every module has more of them than the one before: the
next one costs still more.

The form that was built shrinks the maps with 1x1 convolutions to 64 first, and those behind the pooling too. That is
less than a third of the cost, although four convolutions and their ReLUs have been added, and the number of maps is a
choice. Stacked nine times with GoogLeNet's numbers of kernels, naive modules would end with 4,944 maps in place of
1,024, at eleven times the cost.

    python recipes/architectures/naive_inception.py
"""

import torch
from torch import nn

from pellucid.models.classify.googlenet import WIDTHS, inception
from pellucid.models.classify.inception_unit import Branches, ConvUnit
from pellucid.nn.geometry import describe
from pellucid.plots.curves import curves

SIDE, MAPS = 28, 256
KERNELS = (128, 64, 192, 64, 96, 64)  # 1x1; 3x3 reduced, 3x3; 5x5 reduced, 5x5; behind the pooling
BRANCHES = {"branch1": "1 × 1", "branch2": "3 × 3", "branch3": "5 × 5", "branch4": "pooling"}


def naive(c_in: int, widths: tuple[int, int, int, int, int, int]) -> Branches:
    """The module without what makes it cheap: the same numbers of 1x1, 3x3 and 5x5 kernels."""
    one, _, three, _, five, _ = widths
    return Branches(
        {
            "branch1": ConvUnit(c_in, one, norm=False),
            "branch2": ConvUnit(c_in, three, 3, norm=False),
            "branch3": ConvUnit(c_in, five, 5, norm=False),
            "branch4": nn.MaxPool2d(3, stride=1, padding=1),
        }
    )


def bottlenecked(c_in: int, widths: tuple[int, int, int, int, int, int]) -> Branches:
    """The module as it was built."""
    return inception(c_in, widths, wide=5, norm=False)


def maps(module: nn.Module, c_in: int) -> int:
    """Feature maps that come out."""
    return int(module(torch.empty(1, c_in, 1, 1, device="meta")).shape[1])


def stacked() -> dict[str, list[tuple[int, int]]]:
    """Form -> (multiply-adds, maps) of each of GoogLeNet's nine modules for 224 px, one fed by the one before."""
    found: dict[str, list[tuple[int, int]]] = {"naive": [], "bottlenecked": []}
    for form, make in (("naive", naive), ("bottlenecked", bottlenecked)):
        c_in = 192
        for name, widths in WIDTHS.items():
            module = make(c_in, widths)
            side = {"3": 28, "4": 14, "5": 7}[name[0]]
            cost, c_in = describe(module, c_in, (side, side)).macs, maps(module, c_in)
            found[form].append((cost, c_in))
    return found


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Multiply-adds of both forms by branch, of both stacks of nine, and how the stacks grow."""
    with torch.device("meta"):  # shapes and costs need no numbers
        forms = [make(MAPS, KERNELS) for make in (naive, bottlenecked)]
        rows = [
            [f"{BRANCHES[name]} branch", *(_millions(describe(form[name], MAPS, (SIDE, SIDE)).macs) for form in forms)]
            for name in BRANCHES
        ]
        rows.append(["whole module", *(_millions(describe(form, MAPS, (SIDE, SIDE)).macs) for form in forms)])
        rows.append(["maps that come out", *(f"{maps(form, MAPS):,}" for form in forms)])
        rows.append(["parameters", *(f"{sum(p.numel() for p in form.parameters()):,}" for form in forms)])
        stacks = stacked()
    rows.append(["nine modules", *(_millions(sum(cost for cost, _ in stack)) for stack in stacks.values())])
    rows.append(["maps at their end", *(f"{stack[-1][1]:,}" for stack in stacks.values())])
    lines = {form: (range(1, 10), [cost / 1e6 for cost, _ in stack]) for form, stack in stacks.items()}
    title = "Cost of nine Inception modules, one fed by the one before"
    picture = curves(lines, title, "module", "million multiply-adds", log_y=True)
    return ["multiply-adds, 256 maps of 28 × 28", "naive", "bottlenecked"], rows, picture


def _millions(cost: int) -> str:
    return f"{cost / 1e6:,.1f} million" if cost else "0"


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(36) for cell in row))
