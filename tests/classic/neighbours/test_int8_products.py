"""Products of bytes are those of whole numbers."""

import pytest
import torch

from pellucid.classic.neighbours import products as module
from pellucid.classic.neighbours.products import INT32_LENGTH, by_floats, has_integer_product, products


@pytest.mark.parametrize(("q", "m", "d"), [(1, 1, 1), (17, 40, 784), (20, 64, 1024), (3, 8, 2500)])
def test_products_are_exact(q: int, m: int, d: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randint(-128, 128, (rows, d), generator=generator).to(torch.int8) for rows in (q, m))
    wanted = a.to(torch.int64) @ b.to(torch.int64).T
    assert torch.equal(products(a, b).to(torch.int64), wanted)
    assert torch.equal(by_floats(a, b).to(torch.int64), wanted)
    monkeypatch.setattr(module, "has_integer_product", lambda kind: False)
    assert torch.equal(products(a, b).to(torch.int64), wanted)


@pytest.mark.parametrize("length", [1024, 1025, INT32_LENGTH, INT32_LENGTH + 8])
def test_the_largest_sums_fit(length: int) -> None:
    a = torch.full((1, length), -128, dtype=torch.int8)
    assert products(a, a).tolist() == by_floats(a, a).tolist() == [[length * 2**14]]
    assert products(a, a).dtype == (torch.int32 if length <= INT32_LENGTH else torch.int64)


def test_where_torch_has_no_integer_product_floats_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("not implemented for 'Char'")

    has_integer_product.cache_clear()
    monkeypatch.setattr(torch, "_int_mm", refuse)
    try:
        assert not has_integer_product("cpu")
        a = torch.tensor([[3, -5]], dtype=torch.int8)
        assert products(a, a).tolist() == [[34]]
    finally:
        has_integer_product.cache_clear()
