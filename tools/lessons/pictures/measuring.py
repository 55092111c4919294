"""Pictures of measurements: of derivatives, of curvature, of signals on their way through a net."""

from collections.abc import Callable

import numpy as np

from lessons.pictures.chart import RIGHT, SAMPLES, around, chart, key, panel
from lessons.pictures.drawing import caption, heat, picture
from pellucid.plots import svg
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.checks.activation_statistics import activation_statistics
from pellucid.scratch.checks.gradcheck import check_gradient
from pellucid.scratch.checks.hessian import classify_critical_point, numerical_hessian
from pellucid.scratch.checks.jacobian import numerical_jacobian
from pellucid.scratch.checks.numerical import eval_numerical_gradient, eval_numerical_gradient_array
from pellucid.scratch.checks.taylor import error_order, second_order_model
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.losses.softmax import softmax


def numerical() -> str:
    """The error of both quotients against the step."""
    steps = 10.0 ** np.arange(-13, 0.1, 0.25)
    truth = np.cos(1.0)
    parts, top = key({"one-sided": 2, "centred": 1})
    area = panel(66, top + 30, RIGHT - 66, 170, (1e-13, 1), (1e-12, 1e-1), "xy")
    parts += area.frame("step h", "relative error")
    for series, centred in ((2, False), (1, True)):
        found = [
            eval_numerical_gradient(lambda x: float(np.sin(x[0])), np.ones(1), h=h, centred=centred) for h in steps
        ]
        errors = np.abs(np.array(found)[:, 0] / truth - 1)
        parts.append(area.curve(steps, np.maximum(errors, 1e-12), f"s{series}", 1))
    x, y = area.at(1e-13, 1e-12)
    parts += [caption(x + 8, y - 8, "← rounding"), caption(RIGHT - 4, y - 8, "Taylor's remainder →", "end")]
    return picture("A smaller step is not always better", top + 244, "Error of numerical derivatives of sin.", parts)


def jacobian() -> str:
    """Three layers, three kinds of table."""
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((3, 4)), rng.standard_normal((4, 3))
    parts = []
    for left, name, words, found in (
        (0, "ReLU of 8 numbers", "0 or 1", numerical_jacobian(lambda v: relu_forward(v)[0], rng.standard_normal(8))),
        (164, "softmax of 8 scores", "full", numerical_jacobian(softmax, rng.standard_normal(8))),
        (328, "affine, 3 samples", "Wᵀ thrice", numerical_jacobian(lambda v: affine_forward(v, w, np.zeros(3))[0], x)),
    ):
        size = 144 / max(found.shape)
        parts += [svg.text(left, 54, name, "small"), *heat(left, 64, found, size)]
        parts.append(caption(left, 230, f"{found.shape[0]} × {found.shape[1]}, {words}"))
    return picture("Rows are outputs, columns inputs", 242, "Jacobians of ReLU, softmax and an affine layer.", parts)


def as_number(f: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], float]:
    """The same function of one point."""
    return lambda point: float(f(point))


def hessian() -> str:
    """Three points of zero gradient, with the directions of their curvatures."""

    def surface(a: float, b: float, c: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda p: a * p[..., 0] ** 2 + b * p[..., 1] ** 2 + c * p[..., 0] * p[..., 1]

    parts = []
    for number, f in enumerate((surface(1, 0.5, 0.6), surface(-0.6, -0.9, 0.3), surface(0.9, -0.6, 0.7))):
        area = panel(164 * number, 64, 150, 150, (-1.5, 1.5), (-1.5, 1.5))
        found = numerical_hessian(as_number(f), np.zeros(2))
        values, vectors = np.linalg.eigh(found)
        parts += [svg.text(164 * number, 54, classify_critical_point(found)), *area.cross()[:1]]
        parts.append(area.contours(f, [-1.9, -1.2, -0.7, -0.3, -0.08, 0.08, 0.3, 0.7, 1.2, 1.9]))
        for value, vector in zip(values, vectors.T, strict=True):
            ends = np.stack([-1.2 * vector, 1.2 * vector])
            parts.append(svg.path([area.pixels(ends)], f"curve s{1 if value > 0 else 2}"))
        parts.append(caption(164 * number, 234, f"λ = {values[0]:.2f}, {values[1]:.2f}"))
    parts.append(caption(0, 260, "solid: along it the loss bends up; dashed: down"))
    return picture("What the signs of the curvatures say", 270, "A minimum, a maximum and a saddle.", parts)


def taylor() -> str:
    """A function and its models at one point."""

    def f(x: np.ndarray) -> float:
        return float(np.sin(1.5 * x[0]) + 0.3 * x[0] ** 2)

    point = np.array([0.9])
    model = second_order_model(f, point)
    x = np.linspace(-1.2, 3.2, SAMPLES)
    tangent = model.value + model.gradient[0] * (x - point[0])
    order = error_order(f, model, np.ones(1))
    return chart(
        f"The model's error grows like distance^{order:.1f}",
        "A function, its tangent and its second-order model at 0.9.",
        x,
        {
            "f": ([f(np.array([here])) for here in x], 1),
            "second order, at 0.9": ([model(np.array([here])) for here in x], 2),
            "first order": (tangent, 6),
        },
        ys=(-1.0, 2.6),
    )


def gradcheck() -> str:
    """Entries of a gradient against numerical ones, right and with a bug."""
    rng = np.random.default_rng(2)
    x, w, b, dy = rng.standard_normal((5, 4)), rng.standard_normal((4, 3)), rng.standard_normal(3), np.ones((5, 3))
    out, cache = affine_forward(x, w, b)
    right = affine_backward(relu_backward(dy, out), cache)[1]
    wrong = affine_backward(dy, cache)[1]  # the ReLU on the way back was forgotten
    found = eval_numerical_gradient_array(lambda v: relu_forward(affine_forward(x, v, b)[0])[0], w.copy(), dy)
    reach = around(right, wrong, found, pad=0.15)
    parts = []
    for left, name, gradient, series in ((36, "by hand", right, 1), (284, "ReLU forgotten", wrong, 2)):
        report = check_gradient(lambda v: float(relu_forward(affine_forward(x, v, b)[0])[0].sum()), w.copy(), gradient)
        area = panel(left, 66, 190, 170, reach, reach)
        parts += [svg.text(left, 52, f"{name}: {'passes' if report.passed() else 'fails'}"), *area.cross()]
        parts.append(svg.path([area.pixels(np.array([[reach[0]] * 2, [reach[1]] * 2]))], "guide"))
        for entry in np.ndindex(*w.shape):
            parts.append(svg.circle(*area.at(float(found[entry]), float(gradient[entry])), 3.5, f"f{series}"))
        parts.append(caption(left, 256, f"largest error {report.error:.1g}"))
    parts.append(caption(0, 282, "across: numerical; up: by hand; one dot for each weight"))
    return picture("Every entry must lie on the diagonal", 292, "A right gradient and a wrong one.", parts)


def initialise() -> str:
    """How large the signal is, layer after layer."""
    x = np.random.default_rng(0).standard_normal((64, 200))
    parts, top = key({"He": 1, "Xavier": 2, "std 0.01": 3, "std 0.2": 4})
    area = panel(66, top + 30, RIGHT - 66, 170, (0, 10), (1e-9, 1e5), "y")
    parts += area.frame("layer of a ReLU net, 200 units wide", "root mean square of its outputs")
    choices: tuple[str | float, ...] = ("he", "xavier", 0.01, 0.2)
    for series, init in enumerate(choices, 1):
        layers = activation_statistics(x, "relu", [200] * 10, np.random.default_rng(1), init)
        sizes = [np.hypot(layer.mean, layer.std) for layer in layers]
        parts.append(area.curve(np.arange(11), sizes, f"s{series}", 1))
    return picture("The first weights decide whether a signal arrives", top + 244, "Signals in a deep net.", parts)


def activation_statistics_of_tanh() -> str:
    """Histograms, layer by layer, for three scales."""
    x = np.random.default_rng(0).standard_normal((64, 200))
    choices: tuple[tuple[str, str | float], ...] = (
        ("std 0.01: fades", 0.01),
        ("Xavier: keeps", "xavier"),
        ("std 1: saturates", 1.0),
    )
    parts = [svg.text(62 * layer + 138, 46, f"layer {layer}", "small", "middle") for layer in range(1, 6)]
    for row, (name, init) in enumerate(choices):
        top = 56.0 + 74 * row
        parts.append(svg.text(0, top + 34, name, "small"))
        for number, layer in enumerate(activation_statistics(x, "tanh", [200] * 5, np.random.default_rng(1), init)[1:]):
            left = 172.0 + 62 * number
            parts.append(svg.rect(left, top, 56, 54, "cell"))
            bins = np.linspace(-1, 1, 15)
            middle = (layer.edges[1:] + layer.edges[:-1]) / 2
            shares = np.histogram(middle, bins, weights=layer.counts)[0] / layer.counts.sum()
            for place, share in enumerate(shares):
                high = 52 * float(share) ** 0.5
                parts.append(svg.rect(left + 4 * place, top + 54 - high, 3.6, high, f"f{row + 1}"))
            parts.append(svg.text(left + 28, top + 66, f"{layer.std:.2g}", "tiny", "middle"))
    parts.append(caption(0, 290, "below each: standard deviation; heights by square root"))
    return picture("tanh: outputs from −1 to 1, layer by layer", 300, "Histograms of outputs.", parts)


PICTURES: dict[str, Callable[[], str]] = {
    "numerical": numerical,
    "jacobian": jacobian,
    "hessian": hessian,
    "taylor": taylor,
    "gradcheck": gradcheck,
    "initialise": initialise,
    "activation-statistics": activation_statistics_of_tanh,
}
