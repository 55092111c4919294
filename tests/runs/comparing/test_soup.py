"""The mean of weights: what is averaged, what greedy keeps, what is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import QUICK, Tiny

import pellucid
from pellucid.core.errors import ConfigError, RunError
from pellucid.models.classify import MODELS
from pellucid.models.weights import read_weights, write_weights
from pellucid.runs.comparing.soup import make_soup, mean_weights
from pellucid.runs.run import Run

ELSEWHERE: dict[str, Any] = {"progress": "quiet", **QUICK, "model": "tiny"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "tiny", Tiny)


@pytest.fixture
def members(photos: Path, tmp_path: Path) -> list[Path]:
    """Three runs that went on from the same weights."""
    start = pellucid.train(photos, out=tmp_path / "start", **ELSEWHERE)
    return [
        pellucid.train(
            photos, out=tmp_path / f"m{seed}", weights=str(start.folder), seed=seed, split_seed=0, **ELSEWHERE
        ).folder
        for seed in (1, 2, 3)
    ]


def test_weights_are_averaged_in_double_precision() -> None:
    a = {"w": torch.tensor([1.0, 2.0]), "n": torch.tensor(3), "h": torch.tensor([1.0], dtype=torch.bfloat16)}
    b = {"w": torch.tensor([3.0, 6.0]), "n": torch.tensor(9), "h": torch.tensor([2.0], dtype=torch.bfloat16)}
    found = mean_weights([a, b])
    assert torch.equal(found["w"], torch.tensor([2.0, 4.0])) and found["n"] == 3
    assert found["h"].dtype == torch.bfloat16 and float(found["h"]) == 1.5


def test_uniform_is_the_mean_with_statistics_of_its_own(members: list[Path], tmp_path: Path) -> None:
    soup = make_soup(members, "uniform", tmp_path / "soup.safetensors", "quiet")
    tensors = read_weights(soup.file).tensors
    each = [read_weights(folder / "model.safetensors").tensors for folder in members]
    for name in tensors:
        if "running" not in name and "tracked" not in name:
            torch.testing.assert_close(tensors[name], sum(e[name] for e in each) / 3, rtol=1e-6, atol=1e-7)
    mean_of_statistics = sum(e["features.1.running_mean"] for e in each) / 3
    assert not torch.allclose(tensors["features.1.running_mean"], mean_of_statistics, rtol=1e-4)
    assert soup.used == soup.names == tuple(map(str, members))
    assert not any((folder / "test_openings.jsonl").exists() for folder in members)


def test_the_file_is_a_weights_file_like_any_other(members: list[Path], photos: Path, tmp_path: Path) -> None:
    soup = make_soup(members, "uniform", tmp_path / "soup.safetensors", "quiet")
    alone = Run(soup.file)
    assert alone.trained.about["soup"] == {"kind": "uniform", "members": list(map(str, members))}
    assert alone.trained.about["values"]["val_accuracy"] == soup.reached
    picture = next(photos.rglob("*.png"))
    (result,) = alone.predict(picture)
    batch_of_soup = Run(members[0])
    batch_of_soup.__dict__["trained"] = soup.trained
    assert batch_of_soup.predict(picture)[0].top == result.top


def test_greedy_is_never_worse_on_validation_than_its_best_member(members: list[Path], tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled"
    shutil.copytree(members[0], spoiled)
    stored = read_weights(spoiled / "model.safetensors")
    noise = {name: torch.randn_like(v) if v.is_floating_point() else v for name, v in stored.tensors.items()}
    noise = {name: v.abs() if "running_var" in name else v for name, v in noise.items()}
    write_weights(spoiled / "model.safetensors", noise, stored.about)
    soup = make_soup([spoiled, *members], "greedy", tmp_path / "soup.safetensors", "quiet")
    assert soup.reached >= max(soup.validation)
    assert len(soup.used) >= 1


def test_copies_make_a_soup_of_the_same_weights(finished: Path, tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(finished, tmp_path / name)) for name in ("a", "b")]
    soup = make_soup(folders, "greedy", tmp_path / "soup.safetensors", "quiet")
    one, other = read_weights(soup.file).tensors, read_weights(finished / "model.safetensors").tensors
    assert all(torch.equal(one[name], other[name]) for name in one if "running" not in name and "tracked" not in name)


def test_what_cannot_be_averaged_is_refused(
    finished: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(runs: Any, kind: Any = "uniform", out: Any = tmp_path / "new.safetensors") -> str:
        with pytest.raises((ConfigError, RunError)) as caught:
            make_soup(runs, kind, out, "quiet")
        return str(caught.value)

    said = "A soup needs two runs or more. Train again, from the same weights, with another --seed."
    assert refused([finished]) == said and refused(str(finished)) == said
    assert refused([finished, finished], "thick").startswith("Unknown soup 'thick'.")
    assert refused([finished] * 2, out=tmp_path / "new") == (
        f"A soup is written to a .safetensors file, got {tmp_path / 'new'}. Name one with --out."
    )
    taken = tmp_path / "taken.safetensors"
    taken.write_bytes(b"mine")
    assert refused([finished] * 2, out=taken) == f"{taken} exists already. Choose another --out; it was not changed."
    assert taken.read_bytes() == b"mine"
    other = pellucid.train(photos, out=tmp_path / "mlp", **{**ELSEWHERE, "model": "mlp"})
    assert refused([finished, other.folder]) == (
        f"A soup needs one network: {finished} is a convnet, {other.folder} a mlp."
    )
    seen = pellucid.train(photos, out=tmp_path / "unit", preprocess="unit", progress="quiet", **QUICK)
    assert "see pictures alike" in refused([finished, seen.folder])
    fitted = pellucid.train(photos, out=tmp_path / "knn", model="knn", k=1, progress="quiet", image_size="16")
    assert refused([fitted.folder, fitted.folder]) == (f"A soup is made of networks; {fitted.folder} holds a knn.")
    assert not (tmp_path / "new.safetensors").exists()


def test_other_validation_pictures_are_refused(photos: Path, tmp_path: Path) -> None:
    first = pellucid.train(photos, out=tmp_path / "first", preprocess="unit", **ELSEWHERE)
    other = pellucid.train(photos, out=tmp_path / "other", preprocess="unit", seed=1, **ELSEWHERE)
    with pytest.raises(ConfigError, match="other pictures in their val splits"):
        make_soup([first, other], "uniform", tmp_path / "new.safetensors", "quiet")
