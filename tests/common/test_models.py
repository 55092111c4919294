"""The battery: every network of every table is put through the same checks.

A new entry of a MODELS table is tested without further work here.
"""

import io
import math
import sys
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.seed import seed_everything
from pellucid.models import FAMILIES
from pellucid.nn.geometry import describe

NETWORKS = [(family, name) for family, table in FAMILIES.items() for name in table]
SIZES = [(28, 28), (33, 47), (64, 64), (96, 70), (130, 140)]
pytestmark = pytest.mark.parametrize(("family", "name"), NETWORKS, ids=[name for _, name in NETWORKS])


def build(
    family: str, name: str, n_classes: int = 3, channels: int = 1, size: tuple[int, int] = (16, 16), seed: int = 0
) -> nn.Module:
    seed_everything(seed)
    return FAMILIES[family][name](n_classes, channels, size)


def pictures(n: int, channels: int = 1, size: tuple[int, int] = (16, 16)) -> Tensor:
    return torch.randn(n, channels, *size, generator=torch.Generator().manual_seed(1))


def answers(family: str, n: int, n_classes: int, size: tuple[int, int] = (16, 16)) -> Tensor:
    """Labels 0, 1, 2, ...; masks are a shape of the label's class on background."""
    labels = torch.arange(n) % n_classes
    if family == "classify":
        return labels
    masks = torch.zeros(n, *size, dtype=torch.int64)
    masks[:, size[0] // 2 :, : size[1] // 2] = labels[:, None, None]
    masks[:, : size[0] // 2] = n_classes - 1
    return masks


def settled(model: nn.Module, channels: int = 1, size: tuple[int, int] = (16, 16)) -> nn.Module:
    """In evaluation mode, with running statistics that are not those of a fresh network."""
    with torch.no_grad():
        for _ in range(3):
            model.train()(2 * pictures(4, channels, size) + 0.5)
    return model.eval()


@pytest.mark.parametrize(("size", "channels"), [*product(SIZES[:2], (1, 3)), *product(SIZES[2:], (3,))])
def test_shapes(family: str, name: str, size: tuple[int, int], channels: int) -> None:
    model = build(family, name, 5, channels, size)
    expected = (2, 5) if family == "classify" else (2, 5, *size)
    for training in (True, False):
        with torch.no_grad():
            out = model.train(training)(pictures(2, channels, size))
        assert out.shape == expected and out.dtype == torch.float32


def test_a_batch_of_one_trains(family: str, name: str) -> None:
    model = build(family, name, size=(32, 32))
    out = model(pictures(1, size=(32, 32)))
    F.cross_entropy(out, answers(family, 1, 3, (32, 32))).backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in model.parameters())


def test_an_empty_batch_gives_an_empty_answer(family: str, name: str) -> None:
    assert build(family, name).eval()(pictures(0)).shape[:2] == (0, 3)


@pytest.mark.parametrize("n_classes", [2, 10])
def test_the_first_loss_is_ln_k(family: str, name: str, n_classes: int) -> None:
    """Averaged over all answers, which no network can know yet; within 3 %."""
    model = build(family, name, n_classes, 3, (28, 28))
    with torch.no_grad():
        log_probabilities = model(pictures(8, 3, (28, 28))).log_softmax(1)
    assert float(-log_probabilities.mean()) == pytest.approx(math.log(n_classes), rel=0.03)


def test_two_examples_are_learned_by_heart(family: str, name: str) -> None:
    model = build(family, name)
    x, y = pictures(2), answers(family, 2, 3)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(100):
        loss = F.cross_entropy(model(x), y)
        if loss.item() < 0.02:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.02
    assert torch.equal(model(x).argmax(1), y)


def test_a_batch_equals_its_pictures_one_by_one(family: str, name: str) -> None:
    model = settled(build(family, name, size=(33, 20)), size=(33, 20))
    x = pictures(3, size=(33, 20))
    with torch.no_grad():
        torch.testing.assert_close(model(x), torch.cat([model(one[None]) for one in x]), rtol=1e-4, atol=1e-5)


def test_evaluation_changes_nothing(family: str, name: str) -> None:
    model = settled(build(family, name))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        first, second = model(pictures(2)), model(pictures(2))
    assert torch.equal(first, second)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_same_seed_gives_the_same_bits(family: str, name: str) -> None:
    def one_step(seed: int) -> list[Tensor]:
        model = build(family, name, seed=seed)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        F.cross_entropy(model(pictures(4)), answers(family, 4, 3)).backward()
        optimiser.step()
        return list(model.state_dict().values())

    first, again, other = one_step(0), one_step(0), one_step(1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_gradients_reach_every_parameter(family: str, name: str) -> None:
    model = build(family, name, size=(32, 32))
    F.cross_entropy(model(pictures(4, size=(32, 32))), answers(family, 4, 3, (32, 32))).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert bool(parameter.grad.isfinite().all()) and bool(parameter.grad.any()), key


def test_saved_and_loaded_it_is_the_same(family: str, name: str) -> None:
    model = settled(build(family, name))
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = build(family, name, seed=1).eval()
    assert not torch.equal(model(pictures(2)), other(pictures(2)))
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    assert torch.equal(model(pictures(2)), other(pictures(2)))


def test_the_layout_of_memory_does_not_matter(family: str, name: str) -> None:
    model = settled(build(family, name, channels=3), channels=3)
    x = pictures(2, 3)
    with torch.no_grad():
        plain = model(x)
        channels_last = model.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(plain, channels_last, rtol=1e-4, atol=1e-5)


def test_bf16_stays_finite_and_near(family: str, name: str) -> None:
    model = settled(build(family, name, channels=3), channels=3)
    x = pictures(4, 3)
    with torch.no_grad():
        exact = model(x)
        with torch.autocast("cpu", torch.bfloat16):
            out = model(x)
    assert float((out.float() - exact).abs().max()) < 0.05 * max(1.0, float(exact.abs().max()))
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x)
    F.cross_entropy(out.float(), answers(family, 4, 3)).backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in model.parameters())


def test_the_summary_accounts_for_every_parameter(family: str, name: str) -> None:
    model = build(family, name, size=(32, 32))
    found = describe(model, 1, (32, 32))
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert found.parameters == found.trainable == sum(row.parameters for row in found.rows) == expected
    assert found.unused == ()
    assert found.rows[-1].output_shape == tuple(model.eval()(pictures(1, size=(32, 32))).shape[1:])


def test_notes_are_sentences(family: str, name: str) -> None:
    for size in SIZES:
        notes = build(family, name, size=size).notes
        assert isinstance(notes, tuple) and all(isinstance(note, str) and note for note in notes)


def test_it_needs_no_foreign_model_library(family: str, name: str) -> None:
    """The network itself is cut off for all tests."""
    build(family, name)
    assert not {"torchvision", "timm"} & set(sys.modules)
