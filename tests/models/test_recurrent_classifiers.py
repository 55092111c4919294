"""Recurrent nets that read rows and glimpses: against their formulas, and on digits."""

from pathlib import Path

import pytest
import torch

import pellucid
from pellucid.core.errors import DataError
from pellucid.models import create
from pellucid.models.classify.glimpse_rnn import GlimpseRnn, filters, look
from pellucid.models.classify.row_rnn import RowRnn


def place(down: float, across: float, size: float, blur: float = 0.0) -> torch.Tensor:
    return torch.tensor([[down, across, size, blur]], dtype=torch.float64)


def test_rows_are_read_by_a_gated_recurrent_unit() -> None:
    """Equations 5 to 8 of Cho et al. 2014, row by row, with torch's place for the reset gate."""
    torch.manual_seed(0)
    model = RowRnn(4, 2, row=5, units=6)
    picture = torch.randn(3, 2, 7, 5)
    w, u, b, c = (model.rnn.get_parameter(f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    state = torch.zeros(3, 6)
    for i in range(7):
        row = torch.cat([picture[:, 0, i], picture[:, 1, i]], dim=1)  # (3, 10)
        (wr, wz, wn), (ur, uz, un) = (row @ w.T + b).chunk(3, 1), (state @ u.T + c).chunk(3, 1)
        z = torch.sigmoid(wz + uz)
        state = z * state + (1 - z) * torch.tanh(wn + torch.sigmoid(wr + ur) * un)
    torch.testing.assert_close(model(picture), model.head(state))


def test_recurrent_weights_start_as_rotations() -> None:
    torch.manual_seed(0)
    for gate in RowRnn(2, 1, 8, units=16).rnn.get_parameter("weight_hh_l0").split(16):
        torch.testing.assert_close(gate @ gate.T, torch.eye(16), rtol=0, atol=1e-5)


def test_the_order_of_rows_matters_and_their_number_is_free() -> None:
    torch.manual_seed(0)
    model = create("row_rnn", 3, 1, (9, 8)).eval()
    x = torch.randn(2, 1, 9, 8)
    assert not torch.allclose(model(x), model(x.flip(2)))
    assert model(x[:, :, :4]).shape == (2, 3)
    with pytest.raises(DataError) as caught:
        model(x[..., :7])
    assert str(caught.value) == "image must have shape (N, C, H, W) = (N, 1, H, 8), got (2, 1, 9, 7)."


def test_filters_are_gaussians_of_sum_one() -> None:
    """Equations 25 and 26 of DRAW: means spread evenly around the centre, all of one deviation."""
    centre, size, blur = torch.tensor([[0.2], [0.5], [0.3]], dtype=torch.float64)
    found = filters(centre, size, blur, side=41, cells=5)[0]
    middle, spacing = 1.2 / 2 * 40, 0.5 * 40 / 4
    deviation = torch.tensor((0.5 * spacing * 2.718281828459045**0.3) ** 2 + 0.25, dtype=torch.float64).sqrt()
    pixels = torch.arange(41, dtype=torch.float64)
    for i in range(5):
        expected = torch.exp(-((pixels - middle - (i - 2) * spacing) ** 2) / (2 * deviation**2))
        torch.testing.assert_close(found[i], expected / expected.sum())


def test_a_glimpse_of_a_ramp_is_a_ramp() -> None:
    """Far from borders a symmetric filter gives the value at its mean: down from row 9 to 21, across from 12 to 28."""
    rows, columns = torch.meshgrid(torch.arange(31.0), torch.arange(41.0), indexing="ij")
    picture = torch.stack([rows, columns])[None].double()  # (1, 2, 31, 41)
    seen = look(picture, place(0.0, 0.0, 0.4, -1.0), cells=5)
    ramp = torch.linspace(-0.2, 0.2, 5, dtype=torch.float64)
    torch.testing.assert_close(seen[0, 0], (15 + 30 * ramp)[:, None].expand(5, 5), rtol=0, atol=1e-3)
    torch.testing.assert_close(seen[0, 1], (20 + 40 * ramp)[None].expand(5, 5), rtol=0, atol=1e-3)


def test_what_is_out_of_sight_does_not_count() -> None:
    picture = torch.randn(1, 1, 40, 40, dtype=torch.float64)
    other = picture.clone()
    other[..., 20:, :] += 100
    up, down = place(-0.6, 0.0, 0.2, -1.0), place(0.6, 0.0, 0.2, -1.0)
    torch.testing.assert_close(look(picture, up, 4), look(other, up, 4))
    assert float((look(other, down, 4) - look(picture, down, 4)).min()) > 99


def test_looking_is_differentiable() -> None:
    torch.manual_seed(0)
    picture = torch.randn(2, 2, 7, 9, dtype=torch.float64, requires_grad=True)
    where = torch.tensor([[0.1, -0.3, 0.6, 0.2], [-0.9, 0.8, 0.3, -0.5]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, p: look(x, p, 3), (picture, where))


def test_extreme_places_stay_finite() -> None:
    for corner in (-1.0, 1.0):
        for size in (0.0, 1.0):
            seen = look(torch.ones(1, 1, 3, 300, dtype=torch.float64), place(corner, corner, size, -1.0), 8)
            torch.testing.assert_close(seen, torch.ones_like(seen))


def test_the_first_glimpse_is_of_the_middle_and_of_nearly_the_whole() -> None:
    model = GlimpseRnn(3, 1)
    torch.testing.assert_close(model.places(torch.zeros(1, 128))[0], torch.tensor([0.0, 0.0, 0.880797, 0.0]))


def test_later_glimpses_depend_on_the_picture() -> None:
    torch.manual_seed(0)
    model = GlimpseRnn(3, 1)
    places: list[torch.Tensor] = []
    model.where.register_forward_hook(lambda _module, _inputs, out: places.append(out.detach()))
    model(torch.randn(2, 1, 20, 20))
    assert len(places) == 6
    assert torch.equal(places[0][0], places[0][1]) and not torch.allclose(places[-1][0], places[-1][1])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epochs", "bar"), [("row_rnn", 20, 0.95), ("glimpse_rnn", 12, 0.95)])
def test_digits_are_read(name: str, epochs: int, bar: float, tmp_path: Path) -> None:
    """On 30 % of the digits that training never saw; chance is 0.10."""
    run = pellucid.train(
        "digits",
        model=name,
        epochs=epochs,
        batch=32,
        lr=3e-3,
        augment=False,
        test_fraction=0.3,
        precision="fp32",
        device="cpu",
        threads=1,
        out=tmp_path / "run",
        progress="quiet",
    )
    assert run.evaluate()["accuracy"] >= bar
