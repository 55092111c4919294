"""`pellucid predict` of a segmenter: what can be asked for, what is saved, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from answer import Ask
from PIL import Image

import pellucid
from pellucid.data.images import read_mask
from pellucid.ops.masks import rle
from pellucid.ops.masks.polygons import fill


@pytest.fixture(scope="module")
def segmenter(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose pictures of 20 x 24 were seen at twice their size."""
    folder = tmp_path_factory.mktemp("runs") / "segmenter"
    settings = {"epochs": 2, "batch": 4, "threads": 1, "precision": "fp32", "device": "cpu", "image_size": "40x48"}
    return pellucid.train(scenes, out=folder, progress="quiet", **settings).folder


@pytest.fixture
def large(tmp_path: Path) -> Path:
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    image[20:60, 10:50] = 220
    Image.fromarray(image).save(tmp_path / "large.png")
    return tmp_path / "large.png"


def test_the_scale_of_training_goes_with_the_run(segmenter: Path) -> None:
    assert pellucid.Run(segmenter).trained.facts.zoom == pytest.approx(2.0)


def test_native_in_tiles_with_everything_kept(ask: Ask, segmenter: Path, large: Path) -> None:
    words = ["--size", "native", "--tile", "24", "--overlap", "0.5", "--probabilities", "--regions", "rle", "--json"]
    answer = ask("predict", segmenter, large, *words, "--save", "out")
    assert (answer.code, answer.err) == (0, "")
    (found,) = json.loads(answer.out)
    assert (found["height"], found["width"]) == (90, 70)
    names = ["0000-large-mask.png", "0000-large-probabilities.npz", "0000-large-regions.json", "0000-large.png"]
    assert sorted(path.name for path in Path("out").iterdir()) == [*names, "classes.txt"]
    mask = read_mask("out/0000-large-mask.png")
    assert mask.shape == (90, 70)
    classes = Path("out/classes.txt").read_text().splitlines()
    with np.load("out/0000-large-probabilities.npz") as arrays:
        assert arrays["probabilities"].shape == (2, 90, 70) and arrays["classes"].tolist() == classes
    content = json.loads(Path("out/0000-large-regions.json").read_text())
    painted = np.full((90, 70), 255, np.uint8)
    for each in content["annotations"]:
        painted[rle.decode(rle.from_coco(each["segmentation"]))] = each["category_id"]
    np.testing.assert_array_equal(painted, mask)  # no class is called background, so every pixel has its region
    assert len(found["regions"]) == len(content["annotations"])
    assert [each["name"] for each in content["categories"]] == classes


def test_polygons_of_at_least_so_many_pixels(ask: Ask, segmenter: Path, large: Path) -> None:
    command = ["predict", segmenter, large, "--size", "native", "--regions", "polygons", "--json"]
    every = json.loads(ask(*command).out)[0]["regions"]
    some = json.loads(ask(*command, "--min-area", "20").out)[0]["regions"]
    assert some == [each for each in every if each["area"] >= 20]
    for each in every:
        assert fill([np.array(ring).reshape(-1, 2) for ring in each["segmentation"]], 90, 70).sum() == each["area"]
    assert "regions" in ask(*command[:-1]).out.splitlines()[0]


def test_pictures_of_odd_shapes(ask: Ask, segmenter: Path, tmp_path: Path) -> None:
    shapes = [(1, 1), (1, 900), (700, 2), (3, 4)]
    for number, (height, width) in enumerate(shapes):
        Image.new("RGB", (width, height), (90, 90, 90)).save(tmp_path / f"{number}.png")
    for size in ("fit", "native"):
        answer = ask("predict", segmenter, *(tmp_path / f"{k}.png" for k in range(4)), "--size", size, "--json")
        assert (answer.code, answer.err) == (0, "")
        assert [(each["height"], each["width"]) for each in json.loads(answer.out)] == shapes


WRONG = {
    "No picture gone.png: there is no such file, and it matches none.": ["gone.png"],
    "tile must be 0 (as in training) or at least 8 pixels, got 7.": ["IMAGE", "--size", "native", "--tile", "7"],
    "overlap must be in 0..0.5, got 0.7.": ["IMAGE", "--size", "native", "--overlap", "0.7"],
    "--overlap needs a number, got 'half'.": ["IMAGE", "--size", "native", "--overlap", "half"],
    "--size cannot be 'large': use one of 'fit', 'native'.": ["IMAGE", "--size", "large"],
    "--regions cannot be 'coco': use one of 'none', 'polygons', 'rle'.": ["IMAGE", "--regions", "coco"],
    "tile, overlap and scale belong to native size: add --size native (size='native').": ["IMAGE", "--tile", "64"],
    "Predictions of task segment take no --top. Options they take: --size, --tile, --overlap, --scale, "
    "--probabilities, --regions, --min-area.": ["IMAGE", "--top", "3"],
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_said_in_one_line(ask: Ask, segmenter: Path, large: Path, message: str) -> None:
    answer = ask("predict", segmenter, *(large if word == "IMAGE" else word for word in WRONG[message]))
    assert answer.out == "" and answer.code in (1, 2)
    assert answer.err == f"pellucid: {message}\n"


def test_a_picture_too_large_at_this_scale_is_passed_over(ask: Ask, segmenter: Path, tmp_path: Path) -> None:
    Image.new("L", (900, 900)).save("wide.png")
    Image.new("L", (9, 9)).save("small.png")
    answer = ask("predict", segmenter, "wide.png", "small.png", "--size", "native", "--scale", "16", "--json")
    assert answer.code == 1 and len(json.loads(answer.out)) == 1
    assert answer.err.startswith("pellucid: skipped: wide.png has 900x900 pixels, which at scale 16 are more than ")


def test_masks_given_as_pictures_are_noticed(ask: Ask, segmenter: Path, scenes: Path) -> None:
    answer = ask("predict", segmenter, scenes / "masks", "--quiet")
    assert answer.code == 0
    assert answer.err == (
        f"pellucid: notice: {scenes / 'masks' / '0.png'} holds only numbers of classes, as masks do. Give the "
        "pictures: of a mask the answer means nothing. The same of 9 more.\n"
    )
    assert ask("predict", segmenter, scenes / "images", "--quiet").err == ""
    Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).save("drawing.png")  # black and white may be a picture
    assert ask("predict", segmenter, "drawing.png", "--quiet").err == ""
