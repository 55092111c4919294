"""The proofs themselves: they see what is wrong and let pass what is right."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.proof.case import Check, Layer, Loss, Update
from pellucid.proof.prove import first_failure, prove


def square_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x**2, x


def square_backward(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    return 2 * x * dout


def scale_forward(x: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, Any]:
    return x * s, (x, s)


def scale_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, np.ndarray]:
    x, s = cache
    return dout * s, (dout * x).sum(0)


SQUARE = Layer(
    "square",
    square_forward,
    square_backward,
    inputs={"a matrix": lambda rng: (rng.standard_normal((2, 3)),)},
    gradients=("x",),
    twin=torch.square,
)
SCALE = Layer(
    "scale",
    scale_forward,
    scale_backward,
    inputs={"a matrix": lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal(3))},
    gradients=("x", "s"),
    linear=("x", "s"),
    twin=torch.mul,
    loops=(scale_forward, scale_backward),
)


def test_right_layers_pass_with_small_errors() -> None:
    for layer in (SQUARE, SCALE):
        proof = prove(layer)
        assert proof.passed
        assert proof.gradient is not None and 0 < proof.gradient < 1e-6
        assert proof.twin is not None and proof.twin < 1e-15
    assert prove(SCALE).adjoint < 1e-14  # type: ignore[operator]
    assert prove(SQUARE).adjoint is None
    assert prove(SCALE).loops == 0


def test_a_wrong_gradient_is_named_with_its_index() -> None:
    def wrong(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx = square_backward(dout, x)
        dx[1, 2] *= 1.001
        return dx

    proof = prove(replace(SQUARE, backward=wrong))
    assert len(proof.failures) == 2  # the twin says so too
    assert proof.worst.startswith("a matrix, x[1, 2]")
    assert "gradient error" in proof.failures[1]


def test_a_wrong_forward_is_seen_by_the_twin_alone() -> None:
    proof = prove(replace(SQUARE, forward=lambda x: (x**2 + 1e-6, x)))
    assert [failure.split()[0] for failure in proof.failures] == ["twin"]


def test_the_adjoint_sees_a_gradient_of_the_wrong_scale() -> None:
    proof = prove(
        replace(
            SCALE,
            backward=lambda dout, cache: (dout * cache[1] * (1 + 1e-8), (dout * cache[0]).sum(0)),
            twin=None,
            loops=None,
        )
    )
    assert [failure.split()[0] for failure in proof.failures] == ["adjoint"]


def test_the_loops_have_to_agree() -> None:
    other = (lambda x, s: (x * s + 1e-9, (x, s)), scale_backward)
    assert [failure.split()[0] for failure in prove(replace(SCALE, loops=other)).failures] == ["loops"]


def test_a_gradient_of_the_wrong_shape() -> None:
    proof = prove(replace(SCALE, backward=lambda dout, cache: (dout, dout)))
    assert proof.failures == (
        "gradient error inf, at most 1e-06, on a matrix, s: the gradient has shape (2, 3), its argument (3,)",
    )


def test_the_largest_error_of_all_inputs_is_reported() -> None:
    def worse_when_large(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
        return square_backward(dout, x) * (1 + 0.01 * len(x))

    inputs = {f"{n} rows": lambda rng, n=n: (rng.standard_normal((n, 2)),) for n in (1, 9, 2)}
    proof = prove(replace(SQUARE, backward=worse_when_large, inputs=inputs, twin=None))
    assert proof.worst.startswith("9 rows, x[")
    assert proof.gradient == pytest.approx(0.09 / 2.09, rel=0.02)


def test_nan_is_a_failure() -> None:
    proof = prove(replace(SQUARE, backward=lambda dout, x: dout * np.nan, twin=None))
    assert not proof.passed
    assert np.isnan(proof.gradient)  # type: ignore[arg-type]


def test_the_wrong_number_of_gradients() -> None:
    with pytest.raises(ValueError, match="scale: backward returned 1 gradients, 2 are wanted"):
        prove(replace(SCALE, backward=lambda dout, cache: dout))


def test_a_loss_is_proven_like_a_layer() -> None:
    def loss(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.mean((x - y) ** 2)), 2 * (x - y) / x.size

    case = Loss(
        "squared error",
        loss,
        inputs={"a matrix": lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal((2, 3)))},
        gradients=("x",),
        twin=torch.nn.functional.mse_loss,
    )
    assert prove(case).passed
    doubled = replace(case, function=lambda x, y: (loss(x, y)[0], 2 * loss(x, y)[1]))
    assert [failure.split()[0] for failure in prove(doubled).failures] == ["twin", "gradient"]


def test_a_rule_walks_beside_its_twin() -> None:
    def rule(w: np.ndarray, dw: np.ndarray, config: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
        return w - config["learning_rate"] * dw, config

    case = Update("descent", rule, {"learning_rate": 0.1}, lambda p: torch.optim.SGD(p, lr=0.1))
    assert prove(case).passed
    assert not prove(replace(case, config={"learning_rate": 0.1001})).passed


def test_checks_and_the_first_failure() -> None:
    assert prove(Check("all is well", lambda: 0.0)).passed
    assert not prove(Check("not a number", lambda: float("nan"))).passed
    failed = first_failure([SCALE, Check("late", lambda: 1.0), Check("later", lambda: 2.0)])
    assert failed == "late: check error 1.0e+00, at most 1e-09, on late"
    assert first_failure([SCALE]) == ""


def test_settings_that_a_layer_changes_do_not_leak_into_the_next_call() -> None:
    def forward(x: np.ndarray, param: dict[str, Any]) -> tuple[np.ndarray, Any]:
        param["calls"] += 1
        return x * param["calls"], param["calls"]

    case = Layer(
        "counts its calls",
        forward,
        lambda dout, calls: dout * calls,
        inputs={"a vector": lambda rng: (rng.standard_normal(3), {"calls": 0})},
        gradients=("x",),
        linear=("x",),
    )
    assert prove(case).passed
