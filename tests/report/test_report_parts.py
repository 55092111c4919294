"""What stands in the blocks: numbers, shaded cells, embedded pictures."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.report.blocks import Bar, Matrix
from pellucid.report.cells import alignment, percent, show
from pellucid.report.confusion import most_confused, ready
from pellucid.report.embed import data_uri, is_tiny


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("as is", "as is"),
            (None, "–"),
            (1234567, "1,234,567"),
            (np.int64(-3), "−3"),
            (True, "yes"),
            (0.5, "0.500"),
            (np.float32(0.25), "0.250"),
            (0.0, "0.000"),
            (-1.5, "−1.500"),
            (1.5e-7, "1.50e−07"),
            (float("nan"), "–"),
            (float("inf"), "∞"),
            (float("-inf"), "−∞"),
            (Bar(0.125), "0.125"),
            (Bar(12, 40, "12 of 40"), "12 of 40"),
            (Bar(float("nan")), "–"),
        ],
    )
    def test_show(self, cell, text):
        assert show(cell) == text

    def test_columns_of_numbers_go_right(self):
        rows = [("a", 1, None, "x"), ("b", 2.5, None, 3)]
        assert alignment(rows, 4, "") == ["left", "right", "left", "left"]
        assert alignment([("a", None), ("b", 3)], 2, "") == ["left", "right"]
        assert alignment(rows, 4, "rl") == ["right", "left", "left", "left"]

    def test_percent(self):
        assert [percent(1, 4), percent(5, 4), percent(-1, 4), percent(1, 0), percent(float("nan"), 1)] == [
            25,
            100,
            0,
            0,
            0,
        ]


class TestMatrix:
    def test_shade_is_the_root_of_the_share_of_the_row(self):
        shown = ready(Matrix([[3, 1], [0, 0]], ["a", "b"], ["a", "b"]))
        (_, (right, wrong)), (_, empty) = shown.rows
        assert (right.text, right.wrong, right.shade) == ("3", False, round(0.75**0.5, 3))
        assert (wrong.text, wrong.wrong, wrong.shade) == ("1", True, 0.5)
        assert wrong.words == "a → b: 1 (25.0 % of the row)"
        assert [mark.text for mark in empty] == ["", ""]
        assert shown.remark == "" and shown.whole is None

    def test_other_names_have_no_diagonal(self):
        shown = ready(Matrix([[3, 1]], ["train"], ["a", "b"]))
        assert [mark.wrong for mark in shown.rows[0][1]] == [False, False]

    def test_huge_counts_are_shown_as_shares(self):
        shown = ready(Matrix([[300_000, 100_000], [0, 5]], ["a", "b"], ["a", "b"]))
        assert [mark.text for _, marks in shown.rows for mark in marks] == ["75.0", "25.0", "", "100.0"]
        assert shown.remark == "Cells show the share of their row in %."

    def test_many_classes_show_the_confused_ones(self):
        counts = np.diag(np.full(30, 100))
        counts[29, 5], counts[5, 29], counts[7, 8] = 9, 4, 2
        names = [f"c{k}" for k in range(30)]
        shown = ready(Matrix(counts, names, names))
        assert len(shown.rows) == len(shown.columns) == 20
        assert {"c5", "c29", "c7", "c8"} <= set(shown.columns)
        assert shown.columns == [name for name, _ in shown.rows] == sorted(shown.columns, key=names.index)
        assert shown.remark == (
            "Shown: the 20 of 30 classes that are most often confused; 100 % of all errors are among them."
        )
        assert shown.whole is not None and shown.whole.image.size == (30, 30)

    def test_exactly_twenty_are_shown_whole(self):
        names = [str(k) for k in range(20)]
        assert ready(Matrix(np.eye(20), names, names)).whole is None

    def test_the_most_confused_are_the_heaviest_pairs(self):
        rng = np.random.default_rng(0)
        counts = rng.integers(0, 3, (40, 40))
        counts[3, 17], counts[30, 2], counts[17, 11] = 100, 90, 80
        assert most_confused(counts, 5)[:2] == [2, 3]
        assert set(most_confused(counts, 5)) == {2, 3, 11, 17, 30}  # 3-17, 30-2, then 11 joins 17

    def test_no_confusion_shows_the_largest(self):
        assert most_confused(np.diag([1, 5, 3, 4]), 2) == [1, 3]

    def test_wide_matrices_that_are_no_confusion(self):
        counts = np.ones((2, 25), dtype=int)
        counts[:, 24] = 9
        shown = ready(Matrix(counts, ["train", "test"], [f"c{k}" for k in range(25)]))
        assert len(shown.columns) == 20 and "c24" in shown.columns
        assert shown.remark == "Shown: the 2 largest of 2 rows and the 20 largest of 25 columns."

    def test_names_must_fit(self):
        with pytest.raises(DataError) as caught:
            Matrix([[1, 2]], ["a"], ["a"], "M")
        assert str(caught.value) == "matrix 'M' must have shape (R, C) = (1, 1), got (1, 2)."


class TestEmbed:
    @pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (96, 5, 3), (1, 1)])
    def test_tiny_pictures_are_kept_exactly(self, shape):
        pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        uri = data_uri(Image.fromarray(pixels))
        assert uri.startswith("data:image/png;base64,")
        assert (np.asarray(opened(uri)) == pixels).all()

    def test_large_pictures_are_reduced(self):
        image = Image.radial_gradient("L").resize((1600, 800)).convert("RGB")
        uri = data_uri(image)
        assert uri.startswith("data:image/jpeg;base64,") and opened(uri).size == (320, 160)
        assert len(uri) < 20_000 and image.size == (1600, 800)
        small = np.asarray(image.resize((320, 160), Image.Resampling.LANCZOS), dtype=float)
        assert np.abs(np.asarray(opened(uri), dtype=float) - small).mean() < 2

    def test_what_is_transparent_is_white(self):
        assert opened(data_uri(Image.new("RGBA", (4, 4), (0, 0, 0, 0)))).getpixel((0, 0)) == (255, 255, 255)

    def test_exact_keeps_size_and_transparency(self):
        image = Image.new("RGBA", (400, 2), (9, 8, 7, 6))
        again = opened(data_uri(image, exact=True))
        assert again.size == (400, 2) and again.getpixel((0, 0)) == (9, 8, 7, 6)

    @pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
    def test_every_mode_can_be_embedded(self, mode):
        for size in ((4, 4), (200, 100)):
            assert opened(data_uri(Image.new(mode, size))).size == size

    def test_a_thin_picture(self):
        assert opened(data_uri(Image.new("RGB", (5000, 3)))).size == (320, 1)

    def test_no_metadata_travels(self):
        image = Image.new("RGB", (200, 200))
        image.info |= {"exif": b"Exif\x00\x00secret place", "comment": b"secret", "icc_profile": b"secret"}
        raw = base64.b64decode(data_uri(image).split(",", 1)[1])
        assert b"secret" not in raw
        assert image.info

    def test_is_tiny(self):
        assert is_tiny(Image.new("L", (96, 96))) and not is_tiny(Image.new("L", (97, 1)))
