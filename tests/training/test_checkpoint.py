"""What is saved comes back equal; what is damaged is noticed; two generations are kept."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pellucid.core.errors import WeightsError
from pellucid.training import checkpoint

STATE = {
    "model": {"w": torch.arange(6.0).reshape(2, 3), "steps": torch.tensor(3)},
    "optimiser": {"state": {0: {"m": torch.ones(2)}, 1: {}}, "param_groups": [{"betas": (0.9, 0.99), "lr": 0.1}]},
    "best": None,
    "rng": torch.get_rng_state(),
    "verdicts": [{"rule": "x"}],
    "half": torch.ones(3, dtype=torch.bfloat16),
}


def same(one: object, two: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(two, torch.Tensor) and one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(one, dict):
        return isinstance(two, dict) and list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(two) and len(one) == len(two) and all(map(same, one, two))
    return one == two


def test_state_comes_back_equal_with_its_types(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 7, STATE)
    state, damaged = checkpoint.load(tmp_path)
    assert same(state, STATE)
    assert damaged == []


def test_two_newest_generations_stay(tmp_path: Path) -> None:
    for step in (5, 100, 20000):
        checkpoint.save(tmp_path, step, {"step": step})
    assert [path.name for path in checkpoint.generations(tmp_path)] == [
        "step-00020000.safetensors",
        "step-00000100.safetensors",
    ]


def test_damaged_newest_falls_back_and_says_so(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, {"step": 1, "w": torch.ones(50)})
    newest = checkpoint.save(tmp_path, 2, {"step": 2, "w": torch.ones(50)})
    content = bytearray(newest.read_bytes())
    content[-3] ^= 1
    newest.write_bytes(bytes(content))
    state, damaged = checkpoint.load(tmp_path)
    assert state["step"] == 1
    assert "is damaged: its checksum does not match" in damaged[0]


def test_nothing_intact_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No checkpoint in .* before its first save"):
        checkpoint.load(tmp_path)
    checkpoint.save(tmp_path, 1, STATE).write_bytes(b"")
    with pytest.raises(WeightsError, match="No intact checkpoint in"):
        checkpoint.load(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return checkpoint.save(tmp_path_factory.mktemp("whole"), 1, STATE).read_bytes()


@given(data=st.data())
def test_every_flip_and_cut_is_detected(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    flipped = bytes([whole[place] ^ (1 << data.draw(st.integers(0, 7)))])
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "step-00000001.safetensors").write_bytes(
        whole[:place] if cut else whole[:place] + flipped + whole[place + 1 :]
    )
    try:
        state, _ = checkpoint.load(folder)
    except WeightsError:
        return
    assert same(state, STATE), "a damaged checkpoint was loaded as something else"
