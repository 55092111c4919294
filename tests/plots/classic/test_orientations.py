import re
from xml.etree import ElementTree

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.plots.classic.orientations import orientations


def lines(drawing: str) -> list[tuple[float, ...]]:
    """x1, y1, x2, y2 and opacity of every line."""
    found = []
    for group in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}g"):
        for path in group:
            for stroke in path.attrib["d"].split("M")[1:]:
                corners = [float(number) for number in re.split("[L,]", stroke)]
                found.append((*corners, float(group.attrib["opacity"])))
    return found


def test_a_line_runs_along_the_edge():
    """Of 2 bins, gradients of 45 degrees (right and down) belong to edges that rise to the right, and so on."""
    cells = np.zeros((1, 2, 2))
    cells[0, 0, 0] = cells[0, 1, 1] = 3
    rising, falling = sorted(lines(orientations(cells, side=100)), key=lambda line: min(line[0], line[2]))
    assert (rising[2] - rising[0]) * (rising[3] - rising[1]) < 0  # y points down
    assert (falling[2] - falling[0]) * (falling[3] - falling[1]) > 0
    for middle, line in ((50, rising), (150, falling)):
        assert (line[0] + line[2]) / 2 == pytest.approx(middle, abs=0.1)
        assert (line[1] + line[3]) / 2 == pytest.approx(50, abs=0.1)
        assert np.hypot(line[2] - line[0], line[3] - line[1]) == pytest.approx(88, abs=0.2)


def test_opacity_is_the_root_of_the_strength():
    opacity = sorted(line[-1] for line in lines(orientations(np.array([[[16.0, 4.0, 1.0, 0.0]]]))))
    assert opacity == pytest.approx([0.25, 0.5, 1])


def test_nothing_is_drawn_of_nothing():
    assert lines(orientations(np.zeros((3, 4, 9)))) == []
    assert 'viewBox="0 0 64 48"' in orientations(np.zeros((3, 4, 9)))


def test_the_label_is_escaped():
    assert 'aria-label="a &lt;b&gt;"' in orientations(np.ones((1, 1, 1)), label="a <b>")


def test_wrong_numbers():
    with pytest.raises(DataError, match="histograms of orientations"):
        orientations(np.zeros((3, 4)))
    for bad in (-1.0, np.nan):
        with pytest.raises(DataError, match="must be numbers from 0 up"):
            orientations(np.full((1, 1, 2), bad))
    with pytest.raises(ConfigError, match="side must be above 0, got 0"):
        orientations(np.ones((1, 1, 1)), side=0)
