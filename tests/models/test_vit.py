"""Vision Transformers against torch's own transformer layers, and what is known of positions."""

import pytest
import torch
from torch import nn

from pellucid.core.errors import ConfigError, DataError
from pellucid.models import create
from pellucid.models.classify.vit import EncoderBlock, SelfAttention, VisionTransformer, resize_positions
from pellucid.models.classify.vit_small import SmallVisionTransformer, sines_and_cosines


def small(size: tuple[int, int] = (32, 32), patch: int = 16) -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(5, 3, size, patch, width=24, depth=2, heads=3, hidden=40).eval()


def test_attention_is_torchs() -> None:
    torch.manual_seed(0)
    ours, theirs = SelfAttention(24, 3), nn.MultiheadAttention(24, 3, batch_first=True)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    x = torch.randn(2, 7, 24)
    torch.testing.assert_close(ours(x), theirs(x, x, x, need_weights=False)[0])


def test_a_block_is_torchs_encoder_layer() -> None:
    torch.manual_seed(0)
    ours = EncoderBlock(24, 3, 40).eval()
    theirs = nn.TransformerEncoderLayer(
        24, 3, 40, dropout=0.0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    names = {"self_attention": "self_attn", "ln_1": "norm1", "ln_2": "norm2", "mlp.0": "linear1", "mlp.3": "linear2"}
    state = {}
    for key, value in ours.state_dict().items():
        old = next(name for name in names if key.startswith(name + "."))
        state[names[old] + key.removeprefix(old)] = value + 0.01 * torch.randn_like(value)
    theirs.load_state_dict(state, strict=True)
    ours.load_state_dict(dict(zip(ours.state_dict(), state.values(), strict=True)))
    x = 3 * torch.randn(2, 7, 24)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


def test_attention_knows_no_order() -> None:
    torch.manual_seed(0)
    attention, x, order = SelfAttention(8, 2), torch.randn(1, 6, 8), torch.randperm(6)
    torch.testing.assert_close(attention(x[:, order]), attention(x)[:, order])


def test_positions_tell_the_network_where_a_patch_is() -> None:
    """Two patches change places: without positions nothing happens, with them something does."""
    model = small()
    x = torch.randn(1, 3, 32, 32)
    swapped = x.roll(16, dims=3)  # the two columns of patches change places
    assert not torch.allclose(model(x), model(swapped), atol=1e-6)
    with torch.no_grad():
        model.encoder.pos_embedding[:, 1:] = 0.1
    torch.testing.assert_close(model(x), model(swapped))


def test_a_side_that_the_patch_does_not_divide_gets_zeros() -> None:
    """A network for 17x30 px has 2x2 patches, like one for 32x32 px that is shown the same picture in zeros."""
    odd, even = small((17, 30)), small((32, 32))
    even.load_state_dict(odd.state_dict(), strict=True)
    x = torch.randn(2, 3, 17, 30)
    large = torch.zeros(2, 3, 32, 32)
    large[:, :, :17, :30] = x
    torch.testing.assert_close(odd(x), even(large))


def test_the_padding_is_said() -> None:
    with torch.device("meta"):
        assert create("vit_b_16", 10, 3, (250, 224)).notes == (
            "16x14 patches of 16x16 px, for pictures of exactly 250x224 px, which get 6 rows and 0 columns of zeros",
        )
        assert create("vit_b_32").notes == ("7x7 patches of 32x32 px, for pictures of exactly 224x224 px",)


def test_resized_positions_keep_token_corners_and_constants() -> None:
    positions = torch.randn(1, 1 + 4 * 3, 5, generator=torch.Generator().manual_seed(0))
    assert resize_positions(positions, (4, 3), (4, 3)) is positions
    larger = resize_positions(positions, (4, 3), (9, 6))
    assert larger.shape == (1, 55, 5)
    assert torch.equal(larger[:, 0], positions[:, 0])
    before, after = positions[0, 1:].view(4, 3, 5), larger[0, 1:].view(9, 6, 5)
    for y in (0, -1):
        for x in (0, -1):
            torch.testing.assert_close(after[y, x], before[y, x])
    torch.testing.assert_close(resize_positions(torch.ones(1, 5, 2), (2, 2), (5, 7)), torch.ones(1, 36, 2))


def test_resized_positions_fit_a_network_of_another_size() -> None:
    small_one, large_one = small((32, 32)), small((48, 80))
    state = small_one.state_dict()
    state["encoder.pos_embedding"] = resize_positions(state["encoder.pos_embedding"], small_one.grid, large_one.grid)
    large_one.load_state_dict(state, strict=True)


def test_positions_of_another_grid_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        resize_positions(torch.zeros(1, 197, 8), (7, 7), (14, 14))
    assert str(caught.value) == "positions must have shape (1, S, D) = (1, 50, D), got (1, 197, 8)."


@pytest.mark.parametrize("model", [small((32, 48)), SmallVisionTransformer(2, 3, (32, 48))])
def test_pictures_of_another_size_are_refused(model: nn.Module) -> None:
    with pytest.raises(DataError) as caught:
        model(torch.zeros(2, 3, 48, 32))
    assert str(caught.value) == "image must have shape (N, C, H, W) = (N, 3, 32, 48), got (2, 3, 48, 32)."


@pytest.mark.parametrize(("name", "least"), [("vit_b_16", 16), ("vit_b_32", 32), ("vit_small", 8)])
def test_the_smallest_picture(name: str, least: int) -> None:
    with torch.device("meta"):
        assert create(name, 4, 1, (least, least))(torch.zeros(1, 1, least, least)).shape == (1, 4)
    instead = "resnet18" if name == "vit_small" else "vit_small"
    with pytest.raises(ConfigError) as caught:
        create(name, 4, 1, (least, least - 1))
    assert str(caught.value) == (
        f"{name} needs pictures of at least {least}x{least} px, got {least}x{least - 1}. "
        f"Choose a larger --image-size, or --model {instead}."
    )


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="width must be a multiple of 5 heads, got 24"):
        SelfAttention(24, 5)


def test_sines_and_cosines_know_distance() -> None:
    """sin a sin b + cos a cos b = cos(a - b): products of two positions depend on their offset alone."""
    plane = sines_and_cosines((5, 6), 16)[0].view(5, 6, 16)
    assert torch.equal(plane[0, 0], torch.tensor([0.0, 1.0, 0.0, 1.0]).repeat_interleave(4))
    here, there = plane[:3, :4], plane[2:, 2:]  # two rows and two columns apart, everywhere
    products = (here * there).sum(-1)
    torch.testing.assert_close(products, products[0, 0].expand(3, 4))
    nearer = (plane[0, 0] * plane[0, 1]).sum()
    assert products[0, 0] < nearer < (plane[0, 0] * plane[0, 0]).sum()


def test_the_small_transformer_is_small_and_takes_odd_sizes() -> None:
    model = create("vit_small", 10, 1, (29, 35)).eval()
    assert 1e6 < sum(p.numel() for p in model.parameters()) < 3e6
    assert model.notes == ("8x9 tokens, one every 4 px, for pictures of exactly 29x35 px",)
    assert model(torch.zeros(3, 1, 29, 35)).shape == (3, 10)
