"""Where is the boundary of a linear classifier?

Where the score w x + b is 0. In the plane that is a line, in more dimensions a plane of one dimension less; w stands at
right angles to it and points to the side of class 1, and the score of a place is its distance to the line times the
length of w. So b shifts the line, and making w and b longer does not move it: only the scores grow.

The table does not trust this. It walks across the picture at six heights, and halves the way until it has the place
where `predict` changes its mind: the score there is 0, to 1e-6 and better. The two lines where the score is
-1 and 1 are as far apart as 2 / |w|: the margin, which the penalty of the SVM keeps wide.

    python recipes/classic/score_zero_is_the_boundary.py
"""

import numpy as np

from pellucid.classic.linear.svm import LinearSVM
from pellucid.plots import axes, svg

HEIGHTS, HALVINGS = (-2.0, -1.2, -0.4, 0.4, 1.2, 2.0), 60


def samples(n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds (n, 2) that overlap a little, and their classes."""
    y = np.arange(n) % 2
    centres = np.array([[-1.0, -0.6], [1.2, 0.5]])
    return np.random.default_rng(0).normal(size=(n, 2)) * 0.6 + centres[y], y


def fitted() -> LinearSVM:
    return LinearSVM(reg=0.01, loss="squared_hinge").fit(*samples())


def changes_mind(model: LinearSVM, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """The place (2,) between two of different classes where the prediction changes, by halving."""
    first = model.predict(start[None])[0]
    for _ in range(HALVINGS):
        middle = (start + stop) / 2
        if model.predict(middle[None])[0] == first:
            start = middle
        else:
            stop = middle
    return (start + stop) / 2


def crossings(model: LinearSVM) -> np.ndarray:
    """Places (6, 2) where the prediction changes on the way from left to right."""
    return np.array([changes_mind(model, np.array([-3.0, y]), np.array([3.0, y])) for y in HEIGHTS])


def drawing(model: LinearSVM, places: np.ndarray) -> str:
    """The samples, the lines of score -1, 0 and 1, the weights as an arrow, and the places found."""
    X, y = samples()
    across, up = axes.Scale(-3.3, 3.3, 30, 470), axes.Scale(-2.4, 2.4, 360, 40)
    w, b = model.coef_[0], model.intercept_[0]
    parts = [svg.text(0, 18, "The score is 0 on the boundary, -1 and 1 beside it", "title")]
    for score, kind in ((-1, "guide"), (0, "axis"), (1, "guide")):
        ends = np.array([-2.4, 2.4])  # in y; x follows
        x = (score - b - w[1] * ends) / w[0]
        (x1, x2), (y1, y2) = across(x), up(ends)
        parts += [svg.line(x1, y1, x2, y2, kind), svg.text(x2 - 5, y2 + 12, f"{score}", "soft", "end")]
    for (x, height), label in zip(X, y, strict=True):
        parts.append(svg.circle(float(across(x)), float(up(height)), 3.5, f"f{label + 1}", f"class {label}"))
    parts += [svg.circle(float(across(x)), float(up(height)), 6, "ring axis") for x, height in places]
    start = -w * b / (w @ w)  # the foot of the origin on the boundary
    tip = start + w / (w @ w)  # one unit of score further
    ends = [(float(across(x)), float(up(height))) for x, height in (start, tip)]
    parts += [svg.path([ends], "curve s3"), svg.circle(*ends[1], 4, "f3"), svg.text(ends[1][0] + 8, ends[1][1], "w")]
    key = [("f1", "class 0"), ("f2", "class 1")]
    entries = [(svg.circle(11, 0, 3.5, kind), name) for kind, name in key]
    entries.append((svg.circle(11, 0, 6, "ring axis"), "prediction changes here"))
    parts += svg.key_rows(entries, 480, 0, 366)[0]
    return svg.document(480, 392, "The places where the prediction changes lie on the line of score 0.", parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Places where the prediction changes, the score there, and their distance to the line w x + b = 0."""
    model = fitted()
    places, w = crossings(model), model.coef_[0]
    scores = model.decision_function(places)
    rows = [
        [f"{x:.4f}, {y:.4f}", f"{abs(score):.1e}", f"{abs(score) / np.linalg.norm(w):.1e}"]
        for (x, y), score in zip(places, scores, strict=True)
    ]
    return ["place where the prediction changes", "score there", "distance to the line"], rows, drawing(model, places)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(34) for cell in row))
