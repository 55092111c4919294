"""How do the activations die, and which initialisation keeps them alive?

Ten layers of 500 units, 1000 samples of standard normal numbers. The table gives the standard deviation of what leaves
each layer; the command prints every net line by line as the notes do.

With tanh and weights of 0.01 a layer passes on less than a quarter, and after ten nothing is left. Weights of 1.0
saturate: over nine in ten outputs are above 0.9 or below -0.9, where tanh is flat and gradients are 0. Xavier's
weights keep tanh alive, though it slowly shrinks. With ReLU Xavier loses a factor √2 in every layer, since half of the
units are silent; He's weights make up for it and keep the size through all ten. In the notes' printouts two lines are
misprints: layer 3 of tanh 0.01 (it is 0.0106) and layer 6 of ReLU with Xavier (0.10).

    python recipes/questions/dying_activations.py
"""

from functools import cache

import numpy as np

from pellucid.plots.curves import curves
from pellucid.scratch.checks.activation_statistics import LayerStatistics, activation_statistics, lines

NETS: dict[str, tuple[str, str | float]] = {
    "tanh, 0.01": ("tanh", 0.01),
    "tanh, 1.0": ("tanh", 1.0),
    "tanh, Xavier": ("tanh", "xavier"),
    "ReLU, Xavier": ("relu", "xavier"),
    "ReLU, He": ("relu", "he"),
}


@cache
def layers(name: str) -> list[LayerStatistics]:
    """The input layer and ten hidden ones."""
    activation, init = NETS[name]
    rng = np.random.default_rng(0)
    return activation_statistics(rng.standard_normal((1000, 500), dtype=np.float32), activation, [500] * 10, rng, init)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Standard deviation of every layer in every net."""
    rows = [
        [layers("ReLU, He")[k].name, *(f"{layers(name)[k].std:.{6 if 'tanh, 0.01' in name else 3}f}" for name in NETS)]
        for k in range(11)
    ]
    shares = (layers(name)[10].saturated for name in NETS)
    rows.append(["saturated in the last", *("–" if share is None else f"{share:.3f}" for share in shares)])
    series = {name: (np.arange(11), [layer.std for layer in layers(name)]) for name in NETS}
    picture = curves(series, "Ten layers, five nets", "layer", "standard deviation of the outputs", log_y=True)
    return ["layer", *NETS], rows, picture


if __name__ == "__main__":
    for name in NETS:
        print(name, *lines(layers(name)), sep="\n")
