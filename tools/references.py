"""What a page names in backticks or in a block of commands, and whether it is there.

A reference is a file (`data/pack.py`), a part of one (`tests/data/test_pack.py::test_round_trip`), or a command
(`make demo`, `pellucid train photos`, `python recipes/demo.py`).
"""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
SHELLS = ("", "bash", "sh", "shell", "console")
COMMANDS = ("make", "pellucid", "python", "python3", "pytest")


def missing(reference: str, root: Path) -> str:
    """Why a reference points at nothing; "" when it points at something."""
    words = shlex.split(reference.removeprefix("$ "), comments=True)
    while words and re.fullmatch(r"\w+=.*", words[0]):  # settings of the environment
        del words[0]
    if not words:
        return "it is empty"
    program = words[0].removeprefix(".venv/bin/")
    if program == "make":
        return next((f"no target {word}" for word in words[1:] if not _is_target(word, root)), "")
    if program == "pellucid":
        return _missing_verb(words[1:], root)
    if program.startswith("python"):
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        return f"no file {script}" if script.endswith(".py") and not (root / script).is_file() else ""
    if program == "pytest":
        parts = [word for word in words[1:] if "/" in word]
        return next((why for part in parts if (why := _missing_part(part, root))), "")
    return f"{reference!r} is neither a file nor a known command" if len(words) > 1 else _missing_part(words[0], root)


def commands(text: str) -> Iterator[str]:
    """The commands of a Markdown page: lines of its shell blocks, and what stands in backticks."""
    for language, block in BLOCK.findall(text):
        if language in SHELLS:
            yield from (line.strip() for line in block.replace("\\\n", " ").splitlines() if _is_command(line))
    yield from (found for found in INLINE.findall(BLOCK.sub("", text)) if " " in found and _is_command(found))


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of the Markdown tables of a page, without their headings."""
    for line in text.splitlines():
        if line.startswith("|") and not re.match(r"^\|[\s:|-]+$", line):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            if cells[0] != "ID":
                yield cells


def _is_command(line: str) -> bool:
    first = line.strip().removeprefix("$ ").split(" ")[0]
    return first.removeprefix(".venv/bin/") in COMMANDS


def _is_target(word: str, root: Path) -> bool:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    return "=" in word or word.startswith("-") or re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE) is not None


def _missing_verb(words: list[str], root: Path) -> str:
    verb = words[0] if words else ""
    tree = ast.parse((root / "src/pellucid/cli/main.py").read_text(encoding="utf-8"))
    table = next(node for node in tree.body if "VERBS" in _defined(node))
    verbs = [
        ast.literal_eval(key) for node in ast.walk(table) if isinstance(node, ast.Dict) for key in node.keys if key
    ]
    return "" if verb in ("--help", "--version", *verbs) else f"no verb {verb or '(none)'}"


def _missing_part(reference: str, root: Path) -> str:
    """A path below the root or the package, and after `::` names that are defined in it."""
    name, *parts = reference.split("::")
    path = next((folder / name for folder in (root, root / "src/pellucid") if (folder / name).exists()), None)
    if path is None:
        return f"no file {name}"
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body if parts else []
    for part in parts:
        inside = [node for node in body if part.split("[")[0] in _defined(node)]
        if not inside:
            return f"no {part} in {name}"
        body = getattr(inside[-1], "body", [])
    return ""


def _defined(node: ast.stmt) -> list[str]:
    """The names that a statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
