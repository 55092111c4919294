"""The battery: every network of every table is put through the same checks.

A new entry of a MODELS table is tested without further work here. Of the networks of one file the smallest is tested
every time, the others and the very large with the slow tests. Each is tested at the smallest size it takes.
"""

import io
import math
import sys
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models import FAMILIES as ALL
from pellucid.nn.geometry import describe

FAMILIES = {family: table for family, table in ALL.items() if family != "detect"}  # those have a battery of their own
SIZES = [(28, 28), (33, 47), (64, 64), (96, 70), (130, 140)]
SIDES = (8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 63, 64, 65, 75, 80, 96, 112, 128, 160, 192, 224, 256)
LARGE = 30_000_000  # parameters from which a step takes seconds


def smallest(family: str, name: str) -> tuple[int, int]:
    """The first of `SIDES` that the network accepts, but at least 16, and its parameters there, for three classes."""
    with torch.device("meta"):
        for side in SIDES:
            try:
                model = FAMILIES[family][name](3, 1, (side, side))
            except ConfigError:
                continue
            return max(side, 16), sum(parameter.numel() for parameter in model.parameters())
    raise AssertionError(f"{name} accepts no size up to {SIDES[-1]}")


SMALLEST = {name: smallest(family, name) for family, table in FAMILIES.items() for name in table}


def cases() -> list[Any]:
    """Family and name; all but the smallest of each file marked slow."""
    found: list[Any] = []
    for family, table in FAMILIES.items():
        files: dict[str, list[str]] = {}
        for name, build in table.items():
            files.setdefault(build.__module__, []).append(name)
        for names in files.values():
            first = min(names, key=lambda name: SMALLEST[name][1])
            for name in names:
                slow = name != first or SMALLEST[name][1] > LARGE
                found.append(pytest.param(family, name, id=name, marks=[pytest.mark.slow] * slow))
    return found


pytestmark = pytest.mark.parametrize(("family", "name"), cases())


def build(
    family: str,
    name: str,
    n_classes: int = 3,
    channels: int = 1,
    size: tuple[int, int] | None = None,
    seed: int = 0,
) -> nn.Module:
    seed_everything(seed)
    return FAMILIES[family][name](n_classes, channels, size or square(name))


def square(name: str, factor: int = 1) -> tuple[int, int]:
    side = factor * SMALLEST[name][0]
    return (side, side)


def pictures(n: int, channels: int, size: tuple[int, int]) -> Tensor:
    return torch.randn(n, channels, *size, generator=torch.Generator().manual_seed(1))


def answers(family: str, n: int, n_classes: int, size: tuple[int, int]) -> Tensor:
    """Labels 0, 1, 2, ...; masks are a shape of the label's class on background."""
    labels = torch.arange(n) % n_classes
    if family == "classify":
        return labels
    masks = torch.zeros(n, *size, dtype=torch.int64)
    masks[:, size[0] // 2 :, : size[1] // 2] = labels[:, None, None]
    masks[:, : size[0] // 2] = n_classes - 1
    return masks


def loss_of(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Of all heads: a network with auxiliary ones has `outputs`."""
    outputs = model.outputs(x) if hasattr(model, "outputs") else {"logits": model(x)}
    return sum(F.cross_entropy(logits.float(), y) for logits in outputs.values())  # type: ignore[return-value]


def settled(model: nn.Module, channels: int, size: tuple[int, int]) -> nn.Module:
    """In evaluation mode, with running statistics that are not those of a fresh network."""
    with torch.no_grad():
        for _ in range(3):
            model.train()(2 * pictures(4, channels, size) + 0.5)
    return model.eval()


def without_chance(model: nn.Module) -> nn.Module:
    """In training mode, but nothing is dropped at random: batch norm alone remembers that it is training."""
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train()
    return model


def sizes(name: str) -> list[tuple[tuple[int, int], int]]:
    """Sizes and channels that the network takes."""
    side = SMALLEST[name][0]
    pairs = [*product(SIZES[:2], (1, 3)), *product(SIZES[2:], (3,))]
    return [((side, side + 13), 1), *((size, channels) for size, channels in pairs if min(size) >= side)]


def test_shapes(family: str, name: str) -> None:
    for size, channels in sizes(name):
        model = build(family, name, 5, channels, size)
        expected = (2, 5) if family == "classify" else (2, 5, *size)
        for training in (True, False):
            with torch.no_grad():
                out = model.train(training)(pictures(2, channels, size))
            assert out.shape == expected and out.dtype == torch.float32, (size, channels)


def test_a_batch_of_one_trains(family: str, name: str) -> None:
    size = square(name, 2)
    model = build(family, name, size=size)
    loss_of(model, pictures(1, 1, size), answers(family, 1, 3, size)).backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in model.parameters())


def test_an_empty_batch_gives_an_empty_answer(family: str, name: str) -> None:
    assert build(family, name).eval()(pictures(0, 1, square(name))).shape[:2] == (0, 3)


@pytest.mark.parametrize("n_classes", [2, 10])
def test_the_first_loss_is_ln_k(family: str, name: str, n_classes: int) -> None:
    """Averaged over all answers, which no network can know yet; within 3 %."""
    size = max((28, 28), square(name))
    model = build(family, name, n_classes, 3, size)
    with torch.no_grad():
        log_probabilities = model(pictures(8, 3, size)).log_softmax(1)
    assert float(-log_probabilities.mean()) == pytest.approx(math.log(n_classes), rel=0.03)


def test_two_examples_are_learned_by_heart(family: str, name: str) -> None:
    """At some usual rate; what is dropped at random is kept, since by heart means these two answers every time."""
    size = square(name)
    x, y = pictures(2, 1, size), answers(family, 2, 3, size)
    for lr in (1e-3, 3e-4, 3e-3):
        model = without_chance(build(family, name))
        optimiser = torch.optim.Adam(model.parameters(), lr=lr)
        for _ in range(100):
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            if loss.item() < 0.02:
                assert torch.equal(logits.argmax(1), y)
                return
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    pytest.fail(f"loss {loss.item():.3f} after 100 steps at every rate")


def test_a_batch_equals_its_pictures_one_by_one(family: str, name: str) -> None:
    size = (square(name)[0] + 17, square(name)[0] + 4)
    model = settled(build(family, name, size=size), 1, size)
    x = pictures(3, 1, size)
    with torch.no_grad():
        together, single = model(x), torch.cat([model(one[None]) for one in x])
    torch.testing.assert_close(together, single, rtol=1e-4, atol=1e-5 * max(1.0, float(together.abs().max())))


def test_evaluation_changes_nothing(family: str, name: str) -> None:
    size = square(name)
    model = settled(build(family, name), 1, size)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        first, second = model(pictures(2, 1, size)), model(pictures(2, 1, size))
    assert torch.equal(first, second)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_same_seed_gives_the_same_bits(family: str, name: str) -> None:
    size = square(name)

    def one_step(seed: int) -> list[Tensor]:
        model = build(family, name, seed=seed)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        loss_of(model, pictures(4, 1, size), answers(family, 4, 3, size)).backward()
        optimiser.step()
        return list(model.state_dict().values())

    first, again, other = one_step(0), one_step(0), one_step(1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_gradients_reach_every_parameter(family: str, name: str) -> None:
    """Within a few batches: where branches or units are dropped at random, one batch does not reach all."""
    size = square(name, 2)
    model = build(family, name, size=size)
    for _ in range(8):
        loss_of(model, pictures(4, 1, size), answers(family, 4, 3, size)).backward()
        missed = [key for key, p in model.named_parameters() if p.grad is None or not bool(p.grad.any())]
        if not missed:
            break
    assert missed == []
    assert all(bool(parameter.grad.isfinite().all()) for parameter in model.parameters())


def test_saved_and_loaded_it_is_the_same(family: str, name: str) -> None:
    size = square(name)
    model = settled(build(family, name), 1, size)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = build(family, name, seed=1).eval()
    x = pictures(2, 1, size)
    with torch.no_grad():
        assert not torch.equal(model(x), other(x))
        other.load_state_dict(torch.load(file, weights_only=True), strict=True)
        assert torch.equal(model(x), other(x))


def test_the_layout_of_memory_does_not_matter(family: str, name: str) -> None:
    size = square(name)
    model = settled(build(family, name, channels=3), 3, size)
    x = pictures(2, 3, size)
    with torch.no_grad():
        plain = model(x)
        channels_last = model.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(plain, channels_last, rtol=1e-4, atol=1e-5 * max(1.0, float(plain.abs().max())))


def test_bf16_stays_finite_and_near(family: str, name: str) -> None:
    size = square(name)
    model = settled(build(family, name, channels=3), 3, size)
    x = pictures(4, 3, size)
    with torch.no_grad():
        exact = model(x)
        with torch.autocast("cpu", torch.bfloat16):
            out = model(x)
    assert float((out.float() - exact).abs().max()) < 0.05 * max(1.0, float(exact.abs().max()))
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(model, x, answers(family, 4, 3, size))
    loss.backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in model.parameters())


def test_the_summary_accounts_for_every_parameter(family: str, name: str) -> None:
    size = square(name, 2)
    model = build(family, name, size=size)
    found = describe(model, 1, size)
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert found.parameters == found.trainable == expected
    unused = sum(p.numel() for key, p in model.named_parameters() if key.rpartition(".")[0] in found.unused)
    assert sum(row.parameters for row in found.rows) == expected - unused
    if not hasattr(model, "outputs"):  # auxiliary heads rest in evaluation
        assert unused == 0
    assert found.rows[-1].output_shape == tuple(model.eval()(pictures(1, 1, size)).shape[1:])


@pytest.mark.slow
def test_it_can_be_exported(family: str, name: str) -> None:
    size = square(name)
    model = settled(build(family, name), 1, size)
    x = pictures(2, 1, size)
    exported = torch.export.export(model, (x,)).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(x), model(x), rtol=1e-4, atol=1e-5)


def test_notes_are_sentences(family: str, name: str) -> None:
    for size, channels in sizes(name):
        with torch.device("meta"):
            notes = build(family, name, channels=channels, size=size).notes
        assert isinstance(notes, tuple) and all(isinstance(note, str) and note for note in notes)


def test_it_needs_no_foreign_model_library(family: str, name: str) -> None:
    """The network itself is cut off for all tests."""
    build(family, name)
    assert not {"torchvision", "timm"} & set(sys.modules)
