"""What a convolution saves against a fully connected layer: first by looking at patches, then by sharing weights.

Three layers that turn the same map into the same number of units:
    fully connected     every unit reads all numbers of the map                    h' w' F (h w C + 1) parameters
    locally connected   every unit reads one patch with weights of its own         h' w' F (f² C + 1)
    convolution         all units of a map share the weights of their patch        F (f² C + 1)
The last two do the same arithmetic: sharing saves parameters, not multiply-adds.

Source: CS231n notes, "Convolutional Networks", on local connectivity and parameter sharing.

Letters: C channels of h x w cells, F filters of f x f taps, h' x w' cells of the output.
"""

from typing import NamedTuple

from pellucid.nn.geometry.arithmetic import conv_macs, conv_output_size, conv_parameters, linear_parameters


class Connection(NamedTuple):
    """One way to connect a map to the next.

    Attributes:
        kind: `fully connected`, `locally connected` or `convolution`.
        parameters: weights, and one bias a unit, or a filter where they are shared.
        macs: multiply-adds for one picture.
    """

    kind: str
    parameters: int
    macs: int


def connections(
    channels: int, size: tuple[int, int], filters: int, kernel: int, stride: int = 1, padding: int = 0
) -> tuple[Connection, Connection, Connection]:
    """The cost of one layer: fully connected, locally connected, and as a convolution.

    Args:
        channels, size: C, and h and w of the input.
        filters, kernel, stride, padding: of the convolution whose output size the other two get.

    Raises:
        DataError: the filters do not fit into the input.
    """
    height, width = (conv_output_size(side, kernel, stride, padding) for side in size)
    inputs, units = channels * size[0] * size[1], filters * height * width
    shared = conv_parameters(filters, channels, kernel)
    macs = conv_macs(filters, channels, kernel, (height, width))
    return (
        Connection("fully connected", linear_parameters(inputs, units), inputs * units),
        Connection("locally connected", shared * height * width, macs),
        Connection("convolution", shared, macs),
    )


def connections_table(rows: tuple[Connection, ...]) -> str:
    """As Markdown, each row with its share of the first one's parameters."""
    lines = ["| layer | parameters | of the first | multiply-adds |", "| --- | ---: | ---: | ---: |"]
    for row in rows:
        share = row.parameters / rows[0].parameters
        lines.append(f"| {row.kind} | {row.parameters:,} | {share:.3g} | {row.macs:,} |")
    return "\n".join(lines)
