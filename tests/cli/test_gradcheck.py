"""`pellucid gradcheck`: a student's file, right and wrong, and ours."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from answer import Ask

Write = Callable[[str], Path]

RIGHT = """
    import numpy as np

    def cube_forward(x):
        return x**3, x

    def cube_backward(dout, x):
        return 3 * x**2 * dout
"""
AFFINE = """
    def affine_forward(x, w, b):
        return x.reshape(len(x), -1) @ w + b, (x, w, b)

    def affine_backward(dout, cache):
        x, w, b = cache
        return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(textwrap.dedent(text))
        return path

    return put


def test_a_right_layer(ask: Ask, write: Write) -> None:
    answer = ask("gradcheck", write(RIGHT))
    assert answer.code == 0
    assert "cube" in answer.out and "right" in answer.out and "1 right, 0 wrong" in answer.out


def test_a_wrong_layer_is_named_with_the_place(ask: Ask, write: Write) -> None:
    answer = ask("gradcheck", write(RIGHT.replace("3 * x**2", "2 * x**2")))
    assert answer.code == 1
    assert "WRONG" in answer.out
    assert "cube: gradient error 2.0e-01, at most 1e-06, on x (3, 4), x[" in answer.out


def test_a_layer_of_the_course_meets_our_inputs_and_our_twin(ask: Ask, write: Write) -> None:
    answer = ask("gradcheck", write(AFFINE), "--json")
    assert answer.code == 0
    (row,) = json.loads(answer.out)
    assert row["layer"] == "affine" and row["verdict"] == "right"
    assert row["twin"] and row["adjoint"]
    wrong = ask("gradcheck", write(AFFINE.replace("dout.sum(axis=0)", "dout.mean(axis=0)")))
    assert wrong.code == 1
    assert "affine: twin error" in wrong.out and "gradient of b" in wrong.out


def test_a_twin_can_be_named_or_stand_in_the_file(ask: Ask, write: Write) -> None:
    named = ask("gradcheck", write(RIGHT), "--twin", "cube=torch.square", "--json")
    assert named.code == 1 and "twin error" in named.out
    inside = write(RIGHT + "\n    def cube_twin(x):\n        return x**3\n")
    (row,) = json.loads(ask("gradcheck", inside, "--json").out)
    assert row["twin"] is not None and row["verdict"] == "right"


def test_inputs_of_its_own_and_what_is_affine(ask: Ask, write: Write) -> None:
    text = """
        def scale_forward(x, s):
            return x * s, (x, s)

        def scale_backward(dout, cache):
            return dout * cache[1], (dout * cache[0]).sum(0)

        def scale_inputs(rng):
            return rng.standard_normal((3, 4)), rng.standard_normal(4)
    """
    (row,) = json.loads(ask("gradcheck", write(text), "--json").out)
    assert row["verdict"] == "right" and row["adjoint"] is not None


def test_a_layer_that_breaks_down_fails_and_the_others_go_on(ask: Ask, write: Write) -> None:
    text = (
        RIGHT
        + "\n    def odd_forward(x):\n        return x.nothing, x\n    def odd_backward(d, x):\n        return d\n"
    )
    answer = ask("gradcheck", write(text))
    assert answer.code == 1
    assert "1 right, 1 wrong" in answer.out
    assert "odd: AttributeError in mine.py, line 11" in answer.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "mine.py has no pair of functions NAME_forward and NAME_backward"),
        ("def f_forward(x): return x, x", "f_forward has no f_backward beside it"),
        ("def f(:", "mine.py is not Python: invalid syntax, line 1."),
        ("import no_such_thing", "mine.py could not be run: ModuleNotFoundError"),
        ("raise SystemExit(3)", "mine.py could not be run: SystemExit"),
        (
            "def f_forward(x, y): return x, x\ndef f_backward(d, c): return d",
            "What are the inputs of f_forward(x, y)? Say so beside it: def f_inputs(rng): return (x, y)",
        ),
        (
            "def f_forward(x): return x\ndef f_backward(d, c): return d",
            "f_forward must return (out, cache), got ndarray.",
        ),
        (
            "def f_forward(x): return x, x\ndef f_backward(d, c): return d, d",
            "f_backward returns 2 gradients, but f_forward takes 1 float arrays: x.",
        ),
    ],
)
def test_wrong_files(ask: Ask, write: Write, text: str, said: str) -> None:
    answer = ask("gradcheck", write(text))
    assert answer.code != 0
    assert answer.out == ""
    assert said in answer.err
    assert len(answer.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name one file, or --all for the layers of pellucid.scratch."),
        (("mine.py", "--all"), "Name one file, or --all"),
        (("nowhere.py",), "There is no file nowhere.py."),
        (("--all", "--only", "afine"), "Unknown layer 'afine'. Did you mean 'affine'"),
        (("--all", "--twin", "a=b"), "--twin is for a layer of yours"),
    ],
)
def test_wrong_words(ask: Ask, words: tuple[str, ...], said: str) -> None:
    answer = ask("gradcheck", *words)
    assert answer.code != 0
    assert said in answer.err


def test_wrong_twins(ask: Ask, write: Write) -> None:
    path = write(RIGHT)
    assert "--twin takes NAME=FUNCTION, got 'cube'." in ask("gradcheck", path, "--twin", "cube").err
    assert "PyTorch has no function torch.cubed." in ask("gradcheck", path, "--twin", "cube=torch.cubed").err
    assert (
        "Unknown layer of --twin 'cub'. Did you mean 'cube'" in ask("gradcheck", path, "--twin", "cub=torch.relu").err
    )


def test_ours_by_name(ask: Ask) -> None:
    answer = ask("gradcheck", "--all", "--only", "affine")
    assert answer.code == 0
    assert "affine" in answer.out


HOMEWORK = Path(__file__).parent / "homework.py"


def test_a_right_homework_of_the_whole_course_is_right(ask: Ask) -> None:
    answer = ask("gradcheck", HOMEWORK, "--json")
    rows = json.loads(answer.out)
    assert [row["layer"] for row in rows if row["verdict"] != "right"] == []
    assert answer.code == 0
    assert len(rows) >= 23


@pytest.mark.parametrize(
    ("right", "wrong", "layer"),
    [
        ("/ (1 - b1**t)", "/ (1 - b1)", "adam"),
        ("(1 - g * g)", "(1 - g)", "lstm_step"),
        ("d - d.mean(0) - xh", "d - xh", "batchnorm"),
        ("p[range(N), y] -= 1", "p[range(N), y] -= 0.5", "softmax loss"),
        ("db = dout.sum((0, 2, 3))", "db = dout.sum((0, 2))[:, 0]", "conv naive"),
        ("np.add.at(dW, c[0], d)", "dW[c[0]] += d", "word_embedding"),
    ],
)
def test_one_mistake_in_it_is_found_in_its_layer(ask: Ask, write: Write, right: str, wrong: str, layer: str) -> None:
    text = HOMEWORK.read_text(encoding="utf-8")
    assert right in text
    answer = ask("gradcheck", write(text.replace(right, wrong)), "--json")
    assert answer.code == 1
    assert layer in [row["layer"] for row in json.loads(answer.out) if row["verdict"] == "WRONG"]
