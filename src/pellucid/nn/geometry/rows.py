"""What is written down of a network: a row a layer, and the sums."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pellucid.nn.geometry.field import Pair


@dataclass(frozen=True)
class LayerRow:
    """One layer, as it ran.

    Attributes:
        name: where it lies in the network, such as `layer1.0.conv1`.
        kind: class of the module, or name of the operation.
        output_shape: of its output, without the batch.
        parameters: those not counted in a row above; a layer that is used twice has them once.
        macs: multiply-adds for one picture.
        activation_bytes: new memory for its results; 0 for views and for what works in place.
        receptive_field: (height, width) in pixels of the picture; more than the picture has means all of it.
        stride: pixels of the picture between neighbouring units, (height, width).
        dropped: rows and columns of its input at the far border that no window reaches: sizes that do not fit.
        depth: layers with weights from the picture to its output, this one included; see `Geometry.depth`.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int = 0
    macs: int = 0
    activation_bytes: int = 0
    receptive_field: tuple[int, int] = (1, 1)
    stride: Pair = (1.0, 1.0)
    dropped: tuple[int, int] = (0, 0)
    depth: int = 0


@dataclass(frozen=True)
class Geometry:
    """A network, layer by layer, and in all.

    Attributes:
        rows: layers in the order they ran.
        input_shape: (C, H, W) of the picture.
        parameters, trainable: every parameter once.
        macs: multiply-adds for one picture.
        training_bytes: memory of the activations of one picture when all are kept for the way back.
        inference_bytes: the most that was alive at one time without keeping them, the picture included.
        unused: names of modules whose own parameters were not used.
        depth: the number in names such as ResNet-18: convolutions and fully connected layers on the longest path
            from the picture to the answer. So a projection on a shortcut beside two convolutions adds nothing, nor
            does an auxiliary head, which leads to another answer, nor do the small layers that only make a factor
            for maps, as in squeeze and excitation. Weights that are used again, as by a recurrent layer at each
            step, count once; norms, pools and products of two activations not at all.
        n_layers: convolutions and fully connected layers in all, on whatever path.
        parameters_in: parameters by what they are for: `convolution`, `fully connected` (recurrent layers and the
            projections of attention included), `other` (norms, positions), `unused`.
    """

    rows: tuple[LayerRow, ...]
    input_shape: tuple[int, int, int]
    parameters: int
    trainable: int
    macs: int
    training_bytes: int
    inference_bytes: int
    unused: tuple[str, ...] = ()
    depth: int = 0
    n_layers: int = 0
    parameters_in: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def activation_halves(self) -> tuple[int, int]:
        """Bytes of the activations kept in training, in the first half of the depth and in the second.

        The middle one of an odd number of layers belongs to the first.
        """
        early = sum(row.activation_bytes for row in self.rows if 2 * row.depth <= self.depth + 1)
        return early, sum(row.activation_bytes for row in self.rows) - early
