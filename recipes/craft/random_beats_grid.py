"""Why does random search beat a grid?

Because it never tries the same value twice. Nine trials of two settings on a grid are three values of each; drawn at
random they are nine. When both settings matter equally that is worth little. But of the settings of a network few
matter, and which ones nobody knows beforehand: then the grid has asked the one question that counts three times, and
paid nine trainings for it.

Both search a square whose score is a bump, a ridge across one setting or a hill over both. Its top is moved over the
whole range, and for each place random search is drawn anew a hundred times. On the ridge random search finds the higher
place twice as often as the grid, and on average comes clearly nearer to the top. On the hill it is the other way round:
where both settings matter as much, evenly spread trials leave no gaps, and chance does.

    python recipes/craft/random_beats_grid.py
"""

from functools import partial

import numpy as np

from pellucid.plots import svg
from pellucid.training.search.grid import Race, grid, random_against_grid
from pellucid.training.search.sample import draw
from pellucid.training.search.space import Float, Space

SPACE: Space = {"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}
TRIALS, PLACES, SEEDS, WIDTH = 9, 20, 100, 0.08
SIDE, ABOVE = 190.0, 44.0  # pixels: a panel, and the room over it for the bump


def ridge(centre: float, x: float, y: float) -> float:
    """One setting matters: 1 at x = centre, nearly 0 further than three widths from it."""
    return float(np.exp(-((x - centre) ** 2) / (2 * WIDTH**2)))


def hill(centre: float, x: float, y: float) -> float:
    """Both matter, and as much: 1 at (centre, 1 - centre)."""
    return float(np.exp(-((x - centre) ** 2 + (y - 1 + centre) ** 2) / (2 * (3 * WIDTH) ** 2)))


SCORES = {"one setting": ridge, "both settings": hill}


def races(matters: str) -> list[Race]:
    """The search against the grid, for every place of the best value."""
    centres = (np.arange(PLACES) + 0.5) / PLACES
    return [random_against_grid(partial(SCORES[matters], float(c)), TRIALS, SEEDS) for c in centres]


def panel(title: str, points: list[dict[str, float]], left: float, top: float, centre: float) -> list[str]:
    """The square with its trials, the bump above it, and what each trial sees of the bump."""
    x = np.linspace(0, 1, 101)
    heights = [top - ABOVE * ridge(centre, float(each), 0.0) for each in x]
    parts = [
        svg.text(left, top - ABOVE - 12, title, "soft"),
        svg.path([list(zip(left + SIDE * x, heights, strict=True))], "curve s1"),
        svg.line(left, top + 8 + SIDE, left + SIDE, top + 8 + SIDE, "axis"),
        svg.line(left, top + 8, left, top + 8 + SIDE, "axis"),
    ]
    for each in points:
        across, seen = left + SIDE * each["x"], ridge(centre, each["x"], 0.0)
        parts.append(svg.line(across, top - ABOVE * seen, across, top + 8 + SIDE * (1 - each["y"]), "guide"))
        parts.append(svg.circle(across, top - ABOVE * seen, 4, "f2"))
        parts.append(svg.circle(across, top + 8 + SIDE * (1 - each["y"]), 5, "f1", f"score {seen:.2f}"))
    return parts


def drawing(centre: float = 0.66) -> str:
    """Nine trials each way, beside one another."""
    ways = {"grid: three values of x": grid(SPACE, TRIALS)}
    ways["random: nine values of x"] = [draw(SPACE, 0, trial) for trial in range(TRIALS)]
    parts = [svg.text(0, 18, "Nine trials, when only x matters", "title")]
    for k, (title, points) in enumerate(ways.items()):
        parts += panel(title, points, k * (SIDE + 40) + 1, 56 + ABOVE, centre)
    bottom = 56 + ABOVE + 8 + SIDE
    parts.append(svg.text(1, bottom + 20, "x, which matters; upwards y, which does not. Above: the score.", "soft"))
    spoken = "The nine trials of the grid show the score at three places, those of random search at nine."
    return svg.document(2 * SIDE + 42, bottom + 28, spoken, parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Values tried, the best score found and how often random search won, for each kind of score."""
    rows = []
    for matters in SCORES:
        found = races(matters)
        values = " and ".join(str(found[0].distinct[way]) for way in ("grid", "random"))
        best = [f"{np.mean([race.mean_best[way] for race in found]):.3f}" for way in ("grid", "random")]
        rows.append([matters, values, *best, f"{np.mean([race.wins for race in found]):.0%}"])
    header = ["what matters", "values of x, grid and random", "best of the grid", "best of random", "random wins"]
    return header, rows, drawing()


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(28) for cell in row))
