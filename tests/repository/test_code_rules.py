"""Rules of the house that a linter does not know, read off the syntax trees of the package.

Each rule is a function from a tree to the lines that break it, tried on code that does before it is used.
"""

import ast
from collections.abc import Callable, Iterator

import pytest

Rule = Callable[[ast.Module], Iterator[int]]

BATCH_KEYS = frozenset(
    "image label mask boxes_xyxy box_label instance_mask tokens keypoints is_crowd valid_hw original_hw canvas_affine"
    " label_mix index".split()
)


def batch_keys(tree: ast.Module) -> Iterator[int]:
    """A batch key as a literal: the training loop works for every task, so it may know none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in BATCH_KEYS:
            yield node.lineno


def swallowed(tree: ast.Module) -> Iterator[int]:
    """`except Exception` (or everything) whose handler does not raise: the error is lost."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {ast.unparse(kind) if kind else "BaseException" for kind in caught}
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if names & {"Exception", "BaseException"} and not raises:
                yield node.lineno


def unsafe_loads(tree: ast.Module) -> Iterator[int]:
    """`torch.load` that does not say `weights_only=True`, or anything that unpickles."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            said = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if said.get("weights_only") != "True":
                yield node.lineno
        elif isinstance(node, ast.Import) and {alias.name for alias in node.names} & {"pickle", "dill", "joblib"}:
            yield node.lineno
        elif isinstance(node, ast.Call) and any(
            word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords
        ):
            yield node.lineno


def open_ended(tree: ast.Module) -> Iterator[int]:
    """`**kwargs` of anything in the signature of a public function: a misspelt argument would pass unseen."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    inner = {node for function in functions for node in ast.walk(function) if node is not function}
    for node in functions:
        if node not in inner and node.args.kwarg is not None:
            private = node.name.startswith("_") and not node.name.endswith("__")
            typed = node.args.kwarg.annotation is not None and ast.unparse(node.args.kwarg.annotation) != "Any"
            if not private and not typed:
                yield node.lineno


def string_imports(tree: ast.Module) -> Iterator[int]:
    """A module imported by a string: no editor, linter or import contract can follow it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "import_module",
            "importlib.import_module",
            "__import__",
        ):
            yield node.lineno


def writes(tree: ast.Module) -> Iterator[int]:
    """A file written in place: a kill at that moment leaves half of it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        method = name.rpartition(".")[2]
        mode = [
            arg.value for arg in (*node.args, *(word.value for word in node.keywords)) if isinstance(arg, ast.Constant)
        ]
        opened = method == "open" and any(isinstance(m, str) and m[:1] in tuple("wax") and len(m) <= 3 for m in mode)
        placed = method in ("write_text", "write_bytes") and "." in name and name.split(".")[0] != "files"
        if opened or placed or name in ("np.save", "np.savez", "np.savez_compressed", "save_file"):
            yield node.lineno


def picture_opens(tree: ast.Module) -> Iterator[int]:
    """A picture opened past the one door, which caps its pixels and turns every failure into one class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Image.open", "PIL.Image.open"):
            yield node.lineno


def function_at(tree: ast.Module, line: int) -> str:
    """Name of the innermost function around a line; "" outside of all."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno).name if around else ""


# rule, the paths it looks at (prefixes), its doors (files, or file::function), code that breaks it, code that does not
IN_MEMORY = "tasks/segment/prediction/result.py::_npz"  # fills bytes, which the one door writes
RULES: list[tuple[Rule, tuple[str, ...], tuple[str, ...], str, str]] = [
    (batch_keys, ("training/",), (), "x = batch['image']", "x = model(batch)"),
    (
        swallowed,
        ("",),
        (
            "data/images.py::_orientation",
            "nn/convert/fold.py::traced",  # any network may refuse a stand-in in its own way; then another way is taken
            "nn/convert/for_inference.py::for_inference",  # the same; its notes say which way was not possible
            "nn/convert/for_inference.py::noise_for",
            "proof/gradcheck.py::prove_or_explain",  # what somebody's layer raises is the answer about it
            "proof/mutation.py::notices",
            "proof/user_file.py::_of_its_own",
        ),
        "try: f()\nexcept Exception: pass",
        "try: f()\nexcept Exception as e: raise E() from e",
    ),
    (swallowed, ("",), (), "try: f()\nexcept: pass", "try: f()\nexcept OSError: pass"),
    (swallowed, ("",), (), "try: f()\nexcept (OSError, Exception): pass", "try: f()\nexcept (OSError, KeyError): pass"),
    (unsafe_loads, ("",), (), "torch.load(path)", "torch.load(path, weights_only=True)"),
    (unsafe_loads, ("",), (), "torch.load(path, weights_only=False)", "np.load(path, allow_pickle=False)"),
    (unsafe_loads, ("",), (), "import pickle", "import json"),
    (unsafe_loads, ("",), (), "np.load(path, allow_pickle=True)", "np.load(path)"),
    (open_ended, ("",), (), "def f(**kwargs): ...", "def _f(**kwargs): ..."),
    (open_ended, ("",), (), "def f(**kwargs: Any): ...", "def f(**changes: Unpack[Settings]): ..."),
    (string_imports, ("",), (), "importlib.import_module(name)", "import importlib"),
    (writes, ("",), ("core/files.py", IN_MEMORY), "open(path, 'w')", "open(path, 'rb')"),
    (writes, ("",), ("core/files.py",), "path.open(mode='ab')", "path.open()"),
    (writes, ("",), ("core/files.py",), "path.write_text(t)", "write_text(path, t)"),
    (writes, ("",), ("core/files.py",), "np.save(path, a)", "np.load(path)"),
    (picture_opens, ("",), ("data/image_file.py",), "Image.open(path)", "Image.new('L', (2, 2))"),
]
NAMES = [f"{row[0].__name__}-{number}" for number, row in enumerate(RULES)]


@pytest.mark.parametrize(("rule", "bad", "good"), [(row[0], row[3], row[4]) for row in RULES], ids=NAMES)
def test_the_rule_sees_what_breaks_it_and_nothing_else(rule: Rule, bad: str, good: str) -> None:
    assert list(rule(ast.parse(bad)))
    assert not list(rule(ast.parse(good)))


@pytest.mark.parametrize("rule", dict.fromkeys(row[0] for row in RULES), ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Rule, trees: dict[str, ast.Module]) -> None:
    _, prefixes, doors, _, _ = next(row for row in RULES if row[0] is rule)
    looked_at = [path for path in trees if path.startswith(prefixes) and path not in doors]
    assert looked_at
    broken = [
        f"src/pellucid/{path}:{line}"
        for path in looked_at
        for line in rule(trees[path])
        if f"{path}::{function_at(trees[path], line)}" not in doors
    ]
    assert not broken, f"{rule.__doc__} {' '.join(broken)}"


def test_no_module_is_a_drawer_for_anything(trees: dict[str, ast.Module]) -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert not [path for path in trees if path.rpartition("/")[2] in drawers]
