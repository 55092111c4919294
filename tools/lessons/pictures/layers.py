"""Pictures of the layers that are made of matrix products."""

from collections.abc import Callable

from pellucid.plots import svg


def affine() -> str:
    """Shapes of the three products: what is multiplied with what, and what comes out."""
    parts = [svg.text(0, 18, "Each gradient has the shape of what it belongs to", "title")]
    rows = [
        ("y", (3, 2), [("x", (3, 4)), ("W", (4, 2))]),
        ("dx", (3, 4), [("dy", (3, 2)), ("Wᵀ", (2, 4))]),
        ("dW", (4, 2), [("xᵀ", (4, 3)), ("dy", (3, 2))]),
    ]
    top = 40.0
    for name, shape, factors in rows:
        x, tall = 0.0, max(shape[0], *(size[0] for _, size in factors)) * 18.0
        for number, (label, size) in enumerate([(name, shape), *factors]):
            high, wide = size[0] * 18.0, size[1] * 18.0
            y = top + (tall - high) / 2
            parts.append(svg.rect(x, y, wide, high, f"f{1 if number == 0 else 2 + ('y' in label)} pale"))
            parts.append(svg.text(x + wide / 2, y + high / 2 + 5, label, "", "middle"))
            parts.append(svg.text(x + wide + 8, y + high / 2 + 5, f"{size[0]} × {size[1]}", "soft"))
            x += wide + 62
            if number < 2:
                parts.append(svg.text(x - 6, top + tall / 2 + 5, "=" if number == 0 else "·", "", "middle"))
                x += 14
        top += tall + 26
    return svg.document(480, top, "Shapes of y = x W, dx = dy W transposed and dW = x transposed dy.", parts)


PICTURES: dict[str, Callable[[], str]] = {"affine": affine}
