"""Palette, overlays, contact sheets and heat maps: what is drawn with pixels."""

import numpy as np
import pytest
from PIL import Image

from pellucid.core.errors import DataError
from pellucid.plots.grid import grid
from pellucid.plots.matrix import COLOUR, WRONG, heat_map
from pellucid.plots.overlay import hatch, legend, outline_mask, overlay_mask
from pellucid.plots.palette import oklab, palette

RED_BLUE = np.array([[255, 0, 0], [0, 0, 255]], dtype=np.uint8)


class TestPalette:
    def test_oklab_of_white_grey_and_red(self):
        # White is (1, 0, 0) by construction; pure red is given in the paper's own implementation.
        assert oklab([255, 255, 255]) == pytest.approx([1, 0, 0], abs=1e-6)
        assert oklab([0, 0, 0]) == pytest.approx([0, 0, 0])
        assert oklab([255, 0, 0]) == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)

    def test_starts_with_okabe_and_ito(self):
        assert palette(2).tolist() == [[0, 114, 178], [230, 159, 0]]

    def test_more_colours_keep_the_first_ones(self):
        assert (palette(100)[:5] == palette(5)).all() and (palette(300)[:100] == palette(100)).all()

    def test_colours_differ_and_are_neither_black_nor_white(self):
        lab = oklab(palette(60))
        apart = np.sqrt(((lab[:, None] - lab[None]) ** 2).sum(-1)) + np.eye(60)
        assert apart.min() > 0.05
        assert lab[:, 0].min() > 0.35 and lab[:, 0].max() < 0.95

    def test_edges(self):
        assert palette(0).shape == (0, 3)
        assert palette(1000).shape == (1000, 3) and palette(1).dtype == np.uint8

    def test_the_shared_array_cannot_be_changed(self):
        with pytest.raises(ValueError, match="read-only"):
            palette(3)[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            palette(30)[0] = 0


class TestOverlay:
    def test_colours_are_exact(self):
        image = np.full((2, 2, 3), 100, dtype=np.uint8)
        mask = np.array([[0, 1], [255, 1]])
        out = np.asarray(overlay_mask(image, mask, RED_BLUE, alpha=0.25))
        # 0.75 * 100 + 0.25 * 255 = 138.75 -> 139; 0.75 * 100 + 0 = 75
        assert out.tolist() == [[[139, 75, 75], [75, 75, 139]], [[100, 100, 100], [75, 75, 139]]]

    def test_alpha_ends(self):
        image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        mask = np.random.default_rng(1).integers(0, 2, (5, 7))
        assert (np.asarray(overlay_mask(image, mask, RED_BLUE, alpha=0)) == image).all()
        assert (np.asarray(overlay_mask(image, mask, RED_BLUE, alpha=1)) == RED_BLUE[mask]).all()

    def test_clear_classes_stay_and_the_input_is_not_changed(self):
        image = Image.new("RGB", (3, 1), (10, 20, 30))
        out = overlay_mask(image, [[0, 1, 0]], RED_BLUE, alpha=1, clear=[0])
        assert np.asarray(out).tolist() == [[[10, 20, 30], [0, 0, 255], [10, 20, 30]]]
        assert image.getpixel((1, 0)) == (10, 20, 30)

    @pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
    def test_grey_becomes_rgb(self, shape):
        out = overlay_mask(np.full(shape, 9, dtype=np.uint8), np.full((4, 5), 255), RED_BLUE)
        assert out.mode == "RGB" and (np.asarray(out) == 9).all()

    def test_outline_is_the_inner_border(self):
        mask = np.zeros((7, 7), dtype=np.uint8)
        mask[1:6, 1:6] = 1
        ring = mask.astype(bool)
        ring[2:5, 2:5] = False
        out = np.asarray(outline_mask(np.zeros((7, 7), np.uint8), mask, RED_BLUE, clear=[0]))
        assert (out[..., 2] == 255 * ring).all() and not out[..., 0].any()
        thick = np.asarray(outline_mask(np.zeros((7, 7), np.uint8), mask, RED_BLUE, clear=[0], width=2))
        assert (thick[..., 2] > 0).sum() == 24  # all of 5 x 5 but the middle

    def test_a_uniform_mask_has_no_outline(self):
        assert not np.asarray(outline_mask(np.zeros((3, 3), np.uint8), np.ones((3, 3)), RED_BLUE)).any()

    def test_sizes_must_agree(self):
        with pytest.raises(DataError, match=r"mask must have shape \(H, W\) = \(4, 5\), got \(5, 4\)\."):
            overlay_mask(np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4)), RED_BLUE)

    def test_hatching_is_light_beside_dark_where_asked_and_nowhere_else(self):
        image = np.full((16, 16, 3), 100, np.uint8)
        where = np.zeros((16, 16), bool)
        where[:, 8:] = True
        out = np.asarray(hatch(image, where))
        assert (out[:, :8] == 100).all() and (image == 100).all()
        values, counts = np.unique(out[:, 8:, 0], return_counts=True)
        assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {60: 16, 100: 96, 235: 16}
        assert out[0, 8, 0] == 235 and out[1, 15, 0] == 235  # one line, slanting
        with pytest.raises(DataError, match="mask must have shape"):
            hatch(image, where[:8])

    def test_every_class_needs_a_colour(self):
        with pytest.raises(DataError) as caught:
            overlay_mask(np.zeros((1, 2, 3), np.uint8), [[0, 7]], RED_BLUE)
        assert str(caught.value) == (
            "The mask holds class 7, but the palette has 2 colours (classes 0..1, 255 = ignore)."
        )

    def test_legend_shows_each_colour_once(self):
        sheet = np.asarray(legend(["sky", "a much longer name"], RED_BLUE))
        assert (sheet == RED_BLUE[0]).all(-1).any() and (sheet == RED_BLUE[1]).all(-1).any()
        assert legend(["x"], RED_BLUE).height < sheet.shape[0]
        assert legend([], RED_BLUE).height >= 1


class TestGrid:
    def test_tiny_pictures_are_enlarged_exactly(self):
        tiny = Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8))
        sheet = np.asarray(grid([tiny] * 3, columns=2, pad=4))
        assert sheet.shape == (4 + 2 * 88, 4 + 2 * 88, 3)  # three times 28 is 84
        assert (sheet[4:88:3, 4:88:3, 0] == np.asarray(tiny)).all()
        assert (sheet[4:88, 4:88, 0] == np.repeat(np.repeat(np.asarray(tiny), 3, 0), 3, 1)).all()
        assert (sheet[92:, 92:] == 255).all()  # the empty place

    def test_other_sizes_are_centred(self):
        sheet = np.asarray(grid([Image.new("RGB", (100, 60)), Image.new("RGB", (40, 100))], pad=0))
        assert sheet.shape == (100, 200, 3)
        assert (sheet[20:80, :100] == 0).all() and (sheet[:20, :100] == 255).all()
        assert (sheet[:, 130:170] == 0).all() and (sheet[:, 100:130] == 255).all()

    def test_what_is_transparent_is_white(self):
        assert (np.asarray(grid([Image.new("RGBA", (100, 100), (0, 0, 0, 0))])) == 255).all()

    def test_captions_are_below_and_stay_in_their_cell(self):
        black = Image.new("L", (100, 100))
        sheet = np.asarray(grid([black, black], pad=4, captions=["x" * 300, ""]))
        assert sheet.shape[0] > 108
        assert (sheet[104:, :104] < 255).any() and (sheet[104:, 108:] == 255).all()

    def test_nothing(self):
        assert grid([]).size >= (1, 1)

    def test_captions_must_be_as_many(self):
        with pytest.raises(DataError, match=r"^A sheet of 1 pictures needs as many captions, got 2\.$"):
            grid([Image.new("L", (5, 5))], captions=["a", "b"])


class TestHeatMap:
    def test_opacity_is_the_root_of_the_share(self):
        pixels = np.asarray(heat_map([[1.0, 0.25], [0.0, np.nan]]))
        assert pixels[0, 0].tolist() == [*COLOUR, 255]
        assert pixels[0, 1].tolist() == [*WRONG, 128]
        assert pixels[1, :, 3].tolist() == [0, 0]

    def test_without_a_diagonal_nothing_is_wrong(self):
        assert np.asarray(heat_map([[0.5, 0.5]], diagonal=False))[0, :, :3].tolist() == [list(COLOUR)] * 2

    def test_a_large_one_shrinks_but_keeps_its_largest(self):
        shares = np.zeros((1000, 1000))
        shares[777, 3] = 1
        pixels = np.asarray(heat_map(shares))
        assert pixels.shape == (500, 500, 4)
        assert pixels[388, 1].tolist() == [*WRONG, 255] and (pixels[..., 3] > 0).sum() == 1

    def test_it_needs_two_dimensions(self):
        with pytest.raises(DataError, match=r"heat map must have shape \(R, C\)"):
            heat_map([1.0, 2.0])
