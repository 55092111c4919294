"""Parameters lie in the fully connected layers, memory and work in the first convolutions.

That a network's memory is "mostly the fully connected layers" is true of parameters. 94 % of AlexNet's and 89 % of
VGG-16's lie in three fully connected layers, and 74 % of all VGG-16 has in the first of them alone: each of its 4,096
units reads all of 25,088 numbers with weights of its own.

It is not true of activations, and these fill the memory in training, where all are kept for the way back, of every
picture of a batch. The fully connected layers of VGG-16 have less than a thousandth of them, the first half of its
layers, where maps are large, nine tenths. Nor is it true of work: the weight of a fully connected layer is used once a
picture, that of a convolution once a place. GoogLeNet and ResNet-50 take the mean over all places before one small
layer: what went with the other fully connected layers was most of the parameters and little of the work.

Counted for one picture of 224 px (227 px for AlexNet, here in one tower and with local response norm), 4 bytes a
number, as the network answers, without auxiliary heads. The first half is that of the layers with weights on the
longest way.

    python recipes/architectures/where_the_numbers_are.py
"""

import torch

from pellucid.models import create
from pellucid.nn.geometry import Geometry, describe
from pellucid.plots.bars import bars

NETWORKS = {"alexnet_notes": 227, "vgg16": 224, "googlenet": 224, "resnet50": 224}  # and the side of a picture
SPOKEN = {"alexnet_notes": "AlexNet", "vgg16": "VGG-16", "googlenet": "GoogLeNet", "resnet50": "ResNet-50"}
KINDS = {"parameters": "weights", "activations": "maps", "multiply-adds": "work"}  # and what the picture calls them
PLACES = ("first half", "later convolutions", "fully connected")


def geometry(name: str) -> Geometry:
    """Of the network as it answers."""
    side = NETWORKS[name]
    with torch.device("meta"):  # counting needs no numbers
        return describe(create(name, 1000, 3, (side, side)).eval(), 3, (side, side))


def sums(found: Geometry) -> dict[str, dict[str, int]]:
    """Kind -> place -> how much of it is there: numbers, bytes, multiply-adds.

    What has no depth of its own (norm, ReLU, pool) counts with the layer before it.
    """
    counted = {kind: dict.fromkeys(PLACES, 0) for kind in KINDS}
    dense = False
    for row in found.rows:
        dense = dense or row.kind == "Linear"
        place = PLACES[2] if dense else PLACES[0] if 2 * row.depth <= found.depth + 1 else PLACES[1]
        for kind, number in zip(KINDS, (row.parameters, row.activation_bytes, row.macs), strict=True):
            counted[kind][place] += number
    return counted


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Sums and shares of each network; the shares drawn."""
    rows: list[list[str]] = []
    drawn: dict[str, list[int]] = {place: [] for place in PLACES}
    for kind in KINDS:
        for name in NETWORKS:
            places = sums(geometry(name))[kind]
            whole = sum(places.values())
            shares = [places[place] / whole for place in PLACES]
            first, dense = round(100 * shares[0]), round(100 * shares[2])
            for place, share in zip(PLACES, (first, 100 - first - dense, dense), strict=True):
                drawn[place].append(share)
            rows.append([f"{SPOKEN[name]}, {kind}", _in_all(kind, whole), *(f"{share:.2%}" for share in shares)])
    names = [f"{SPOKEN[name]} {short}" for short in KINDS.values() for name in NETWORKS]
    picture = bars(drawn, names, "Per cent of parameters, activations, multiply-adds", stacked=True, top=100)
    return ["network", "in all", *PLACES], rows, picture


def _in_all(kind: str, number: int) -> str:
    if kind == "activations":
        return f"{number / 2**20:.1f} MiB"
    return f"{number / 1e6:.1f} million" if number < 1e9 else f"{number / 1e9:.2f} billion"


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))
