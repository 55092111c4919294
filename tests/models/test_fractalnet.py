"""FractalNet against its recursion, and drop-path against its probabilities."""

import pytest
import torch
from torch import Tensor, nn

from pellucid.core.errors import ConfigError
from pellucid.core.seed import seed_everything
from pellucid.models import create
from pellucid.models.classify.fractalnet import Fractal, FractalNet, draw_kept, join


def settled(model: nn.Module, x: Tensor) -> nn.Module:
    with torch.no_grad():
        model.train()(x)
    return model.eval()


def test_a_fractal_is_its_recursion() -> None:
    """f_3(x) = mean(conv(x), g(f_2(x)), h(f_2(x))), where the last two are the columns of another f_2: one join."""
    seed_everything(0)
    fractal = settled(Fractal(2, 4, 3, 0.15), torch.randn(4, 2, 6, 5))
    x = torch.randn(3, 2, 6, 5)

    def two(part: Fractal, z: Tensor) -> list[Tensor]:
        return [part.conv(z), part.second.conv(part.first.conv(z))]

    with torch.no_grad():
        middle = sum(two(fractal.first, x)) / 2
        expected = (fractal.conv(x) + sum(two(fractal.second, middle))) / 3
        torch.testing.assert_close(fractal(x), expected)


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_a_fractal_has_2_to_the_columns_minus_one_convolutions(columns: int) -> None:
    """As f_C is one convolution and twice f_(C-1); the deepest way through has 2^(C-1)."""
    with torch.device("meta"):
        convolutions = [m for m in Fractal(3, 5, columns, 0).modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 2**columns - 1


def test_parameters_are_counted_by_formula() -> None:
    """Each fractal of 3 columns: 3 convolutions from c_in, 4 from c_out, each with the two vectors of its norm."""
    expected = sum(9 * (3 * a * b + 4 * b * b) + 7 * 2 * b for a, b in ((3, 32), (32, 64), (64, 128), (128, 256)))
    with torch.device("meta"):
        model = create("fractalnet", 10, 3, (32, 32))
    assert sum(p.numel() for p in model.parameters()) == expected + 256 * 10 + 10


def test_one_column_alone_is_a_chain_of_convolutions() -> None:
    """Of 4, 2 or 1 in each fractal: the plain networks that can be taken out."""
    seed_everything(0)
    model = FractalNet(3, 1, (4, 6), 3, small_stem=True)
    x = torch.randn(3, 1, 9, 12)
    settled(model, x)

    def chain(fractal: Fractal, number: int) -> list[nn.Module]:
        if number == fractal.columns - 1:
            return [fractal.conv]
        return [*chain(fractal.first, number), *chain(fractal.second, number)]

    for number, length in ((0, 4), (1, 2), (2, 1)):
        with torch.no_grad():
            y = x
            for i, fractal in enumerate(model.fractals):
                units = chain(fractal, number)
                assert len(units) == length
                y = nn.Sequential(*units)(model.pool(y) if i else y)
            torch.testing.assert_close(model.column(x, number), model.fc(y.mean((2, 3))))


def test_one_column_is_drawn_for_the_whole_network() -> None:
    """With global drop-path alone, each picture's answer in training is that of one of the columns."""
    seed_everything(0)
    model = FractalNet(3, 1, (4, 6), 3, small_stem=True, globally=1.0)
    x = torch.randn(1, 1, 9, 12).expand(60, -1, -1, -1)
    settled(model, torch.randn(4, 1, 9, 12))
    model.training = True  # drop-path, but not the norms
    with torch.no_grad():
        out, columns = model(x), torch.stack([model.column(x[:1], number)[0] for number in range(3)])
    distance = torch.cdist(out, columns)
    assert float(distance.min(1).values.max()) < 1e-5
    assert torch.bincount(distance.argmin(1), minlength=3).min() >= 8, "a third each: 20 of 60, deviation 3.7"


def test_a_join_is_the_mean_of_what_is_kept() -> None:
    paths = [torch.full((2, 1, 1, 1), value) for value in (1.0, 2.0, 6.0)]
    assert join(paths, None).flatten().tolist() == [3.0, 3.0]
    kept = torch.tensor([[True, False], [False, False], [True, True]])
    assert join(paths, kept).flatten().tolist() == [3.5, 6.0]


@pytest.mark.parametrize("n_paths", [2, 3])
def test_local_drop_path_keeps_at_least_one(n_paths: int) -> None:
    """Each is kept with 1 - p, and one of them, each as likely, where all would have gone: p^P of the time."""
    torch.manual_seed(0)
    n, p = 20_000, 0.5
    kept = draw_kept(n_paths, torch.full((n,), -1), p)
    assert kept.shape == (n_paths, n) and bool(kept.any(0).all())
    expected = 1 - p + p**n_paths / n_paths
    assert kept.float().mean(1).tolist() == pytest.approx([expected] * n_paths, abs=4 * 0.5 / n**0.5)


def test_global_drop_path_keeps_the_column_where_it_runs() -> None:
    """Paths are given shallow first, columns counted from the deepest. A join the column does not run through is
    without effect and keeps everything."""
    chosen = torch.tensor([0, 1, 2])
    assert draw_kept(3, chosen, 0.15).int().tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert draw_kept(2, chosen, 0.15).int().tolist() == [[0, 1, 1], [1, 0, 1]]


def test_nothing_is_drawn_in_evaluation() -> None:
    seed_everything(0)
    model, x = create("fractalnet", 3, 3, (28, 28)), torch.randn(2, 3, 28, 28)
    settled(model, x)
    before = torch.get_rng_state()
    with torch.no_grad():
        assert torch.equal(model(x), model(x))
        assert torch.equal(torch.get_rng_state(), before)
        model.training = True
        assert not torch.equal(model(x), model(x))


def test_large_pictures_pass_a_stem() -> None:
    small, large = (create("fractalnet", 3, 1, size) for size in ((64, 64), (65, 80)))
    assert isinstance(small.stem, nn.Identity) and small.fractals[0].conv[0].in_channels == 1
    assert large.stem(torch.zeros(1, 1, 65, 80)).shape == (1, 32, 17, 20)
    assert small.notes == ("small-image stem (none) because the short side is 64 px (64 or less)",)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        create("fractalnet", 3, 1, (7, 30))
    assert str(caught.value) == (
        "fractalnet needs pictures of at least 8x8 px, got 7x30. Choose a larger --image-size, or --model mlp."
    )
    model = create("fractalnet", 3, 1, (8, 8)).eval()
    assert model(torch.zeros(1, 1, 8, 8)).shape == (1, 3)
    with pytest.raises(ConfigError) as caught:
        model.column(torch.zeros(1, 1, 8, 8), 3)
    assert str(caught.value) == "number must be a column from 0 to 2, got 3."
