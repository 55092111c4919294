"""Sizes of files, functions, argument lists and folders, against the limits of this project.

Run it as `python tools/size_report.py`. It prints one line a kind and fails when something is over its
limit without a reason in `EXCEPTIONS`, or when an exception is no longer needed.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TREES = ("src", "tests", "tools", "recipes", "benchmarks")

LIMITS = {
    "file": (400, "lines"),
    "recipe": (150, "lines"),
    "function": (60, "lines"),  # without the docstring: explaining must cost nothing
    "arguments": (12, "names"),  # without self and cls
    "folder": (12, "modules"),  # of the package, without __init__.py
}

# What may be larger, and why. Keys are what the report prints: a path, a folder, or path::function.
EXCEPTIONS: dict[str, str] = {
    "src/pellucid/scratch/nets/solver.py::__init__": "the twelve names of the course's solver, and a seed",
}
# Folders that hold one file for each entry of a table (a model, a verb): any number of entries is fine.
TABLES = ("src/pellucid/models/*", "src/pellucid/cli", "src/pellucid/scratch/activations", "src/pellucid/proof/cases")


@dataclass(frozen=True)
class Size:
    """One measured thing: its kind (a key of `LIMITS`), its name in the report, and how large it is."""

    kind: str
    where: str
    value: int


def measure(root: Path) -> list[Size]:
    """Every size below `root`, in the order of the paths."""
    sizes: list[Size] = []
    modules: Counter[Path] = Counter()
    for path in sorted(path for tree in TREES for path in (root / tree).rglob("*.py")):
        where = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        kind = "recipe" if where.startswith("recipes/") else "file"
        sizes.append(Size(kind, where, len(text.splitlines())))
        sizes += functions(text, where)
        if where.startswith("src/") and path.name != "__init__.py":
            modules[path.relative_to(root).parent] += 1
    tables = [folder for folder in modules if any(folder.match(pattern) for pattern in TABLES)]
    sizes += [Size("folder", folder.as_posix(), n) for folder, n in modules.items() if folder not in tables]
    return sizes


def functions(text: str, where: str) -> Iterator[Size]:
    """Length and number of arguments of every function in a file, inner ones included."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = f"{where}::{node.name}"
            yield Size("function", name, (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node))
            a = node.args
            names = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if arg]
            yield Size("arguments", name, len([n for n in names if n not in ("self", "cls")]))


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return (first.end_lineno or 0) - first.lineno + 1


def over(sizes: list[Size], exceptions: dict[str, str]) -> tuple[list[Size], list[str]]:
    """What is over its limit without a reason, and which exceptions nothing needs any more."""
    large = [size for size in sizes if size.value > LIMITS[size.kind][0]]
    unused = sorted(exceptions.keys() - {size.where for size in sizes if size in large})
    return [size for size in large if size.where not in exceptions], unused


def table(sizes: list[Size]) -> str:
    """One line a kind: limit, how many there are, the middle one, the largest and where it is."""
    lines = [f"{'':10} {'limit':>5} {'count':>6} {'median':>6} {'largest':>7}"]
    for kind, (limit, _) in LIMITS.items():
        of_kind = sorted((size for size in sizes if size.kind == kind), key=lambda size: size.value)
        if of_kind:
            middle, last = of_kind[len(of_kind) // 2], of_kind[-1]
            lines.append(f"{kind:10} {limit:5} {len(of_kind):6} {middle.value:6} {last.value:7}  {last.where}")
    return "\n".join(lines)


def main() -> int:
    """Print the table and what is wrong; 1 when something is."""
    sizes = measure(ROOT)
    print(table(sizes))
    large, unused = over(sizes, EXCEPTIONS)
    for size in large:
        limit, unit = LIMITS[size.kind]
        print(f"TOO LARGE {size.where}: {size.kind} of {size.value} {unit}, at most {limit}. Split it by concept.")
    for where in unused:
        print(f"NOT NEEDED {where}: the exception in tools/size_report.py can go.")
    return 1 if large or unused else 0


if __name__ == "__main__":
    sys.exit(main())
