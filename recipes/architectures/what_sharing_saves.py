"""Local weights save most of a layer's parameters, shared ones nearly all of the rest.

The first layer of AlexNet turns a picture of 227 x 227 pixels into 96 maps of 55 x 55 units. If every unit read every
pixel, it would need 45 billion weights. If it reads a patch of 11 x 11 pixels, with weights of its own, 106 million are
left, 425 times fewer. If all units of a map share the weights of their patch, because what is worth seeing in one place
is worth seeing in the others, there are 34,944: again 3,025 times fewer, one set for 55 x 55 places.

Sharing saves parameters and no work: both kinds of local layers do the same multiply-adds. And a convolution's count
does not know how large the picture is. That of a locally connected layer grows with its area, that of a fully connected
one with the square of the area.

    python recipes/architectures/what_sharing_saves.py
"""

from pellucid.nn.geometry import Connection, connections
from pellucid.plots.curves import curves

# name -> channels, side, filters, kernel, stride, padding
LAYERS = {
    "AlexNet, first layer": (3, 227, 96, 11, 4, 0),
    "5 x 5 on a picture of 32 px": (3, 32, 10, 5, 1, 2),
}
SIDES = (8, 16, 32, 64, 128, 256)


def layer(channels: int, side: int, filters: int, kernel: int, stride: int, padding: int) -> tuple[Connection, ...]:
    """Fully connected, locally connected, and as a convolution, with the same units."""
    return connections(channels, (side, side), filters, kernel, stride, padding)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Parameters and multiply-adds of two layers in three forms; parameters against the side of the picture."""
    rows = []
    for name, numbers in LAYERS.items():
        forms = layer(*numbers)
        for form, before in zip(forms, (None, *forms), strict=False):
            fewer = f"{before.parameters / form.parameters:,.0f} times fewer" if before else ""
            rows.append([f"{name}, {form.kind}", f"{form.parameters:,}", fewer, f"{form.macs:,}"])
    lines: dict[str, tuple[tuple[int, ...], list[int]]] = {}
    for side in SIDES:
        for form in layer(3, side, 16, 3, 1, 1):
            lines.setdefault(form.kind, (SIDES, []))[1].append(form.parameters)
    title = "16 maps from a picture in colour, 3 x 3 patches"
    picture = curves(lines, title, "side of the picture, pixels", "parameters", log_y=True)
    return ["layer", "parameters", "than the row above", "multiply-adds"], rows, picture


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(46) for cell in row))
