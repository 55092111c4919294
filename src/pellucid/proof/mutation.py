"""Plant small bugs in a source file, one at a time, and see whether its proofs notice.

A proof that never fails proves nothing. Each planted bug is one change of the syntax tree: a sign, a factor, an
operand, an axis or another constant, a comparison, a condition, a function for its sister. Messages, guards that
only raise, and functions whose names begin with `_check` are left alone: they say what is wrong, they compute nothing.

Source: DeMillo, Lipton and Sayward, "Hints on test data selection", 1978.
"""

import ast
import copy
import inspect
import io
import signal
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from types import CodeType, FrameType, ModuleType

import numpy as np

from pellucid.core.errors import DataError
from pellucid.proof.case import Subject
from pellucid.proof.prove import first_failure

SECONDS = 10  # after which a planted bug that made a loop endless counts as caught

SWAPPED_OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
SWAPPED_COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
SISTERS = {
    "maximum": "minimum",
    "minimum": "maximum",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "sum": "mean",
    "mean": "sum",
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "sqrt": "square",
    "square": "sqrt",
    "exp": "expm1",
    "log": "log1p",
    "log1p": "log",
    "tanh": "sinh",
    "abs": "sign",
    "sign": "abs",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "floor": "ceil",
    "ceil": "floor",
    "cumsum": "cumprod",
    "flip": "asarray",
    "var": "std",
}


# Functions whose arguments may change places, or whose first two are of different kinds.
SYMMETRIC = frozenset(
    "maximum minimum max min add multiply dot outer result_type isinstance issubclass gcd hypot array_equal".split()
)


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Attributes:
        name: `function: old -> new`, unique in its file.
        line: where it was planted.
        code: the whole file with this bug, compiled.
    """

    name: str
    line: int
    code: CodeType


@dataclass(frozen=True)
class Outcome:
    """What became of the bugs of one file: how many were planted, the ones that no proof noticed, and whether the
    reasons given for survivors (`Subject.harmless`) belong to bugs that survived.
    """

    planted: int
    survivors: tuple[str, ...]
    unexplained: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def caught(self) -> int:
        return self.planted - len(self.survivors)


def plant_and_prove(subject: Subject, limit: int | None = None) -> Outcome:
    """Plant every bug (or about `limit`, evenly spread) in the file of a subject, and run its proofs on each.

    Raises:
        DataError: the proofs fail on an unchanged copy, so that every bug would seem to be caught.
    """
    source, filename = inspect.getsource(subject.module), subject.module.__file__ or "module"
    if notices(subject, Bug("nothing was changed", 0, compile(source, filename, "exec"))):
        raise DataError(f"The proofs of {filename} fail without any planted bug: mend them first.")
    bugs = list(plant(source, filename))
    chosen = bugs if limit is None or len(bugs) <= limit else bugs[:: -(-len(bugs) // limit)]
    survivors = tuple(bug.name for bug in chosen if not notices(subject, bug))
    unexplained = tuple(name for name in survivors if name not in subject.harmless)
    tried = {bug.name for bug in chosen}
    known = {bug.name for bug in bugs}
    stale = tuple(name for name in subject.harmless if name not in known or (name in tried and name not in survivors))
    return Outcome(len(chosen), survivors, unexplained, stale)


def notices(subject: Subject, bug: Bug) -> bool:
    """Whether a proof of the subject fails, or the code breaks down, with this bug in its file."""
    module = ModuleType(subject.module.__name__)
    module.__file__ = subject.module.__file__
    try:
        with _aside(), _in_time():
            exec(bug.code, module.__dict__)  # our own source, with one change
            return bool(first_failure(subject.cases(module)))
    except Exception:
        return True


def plant(source: str, filename: str = "module") -> Iterator[Bug]:
    """Every bug that can be planted in this source, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for spot in _spots(tree):
        for replacement in _alternatives(spot.node):
            before = spot.words()
            spot.put(ast.copy_location(replacement, spot.node))
            name = f"{spot.function}: {before} -> {spot.words()}"
            ast.fix_missing_locations(spot.parent)
            seen[name] += 1
            name += f" ({seen[name]})" if seen[name] > 1 else ""
            try:
                yield Bug(name, spot.node.lineno, compile(tree, filename, "exec"))
            finally:
                spot.put(spot.node)


@dataclass
class _Spot:
    """A node, where it hangs, and the expression around it that says enough to recognise it."""

    node: ast.expr | ast.stmt
    parent: ast.AST
    place: str
    index: int | None
    around: ast.AST
    function: str

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.place, node)
        else:
            getattr(self.parent, self.place)[self.index] = node

    def words(self) -> str:
        around = self.around
        if around is self.node:  # it may have been replaced
            around = getattr(self.parent, self.place)
            around = around if self.index is None else around[self.index]
        return " ".join(ast.unparse(around).split())


SAYING = (ast.BinOp, ast.Compare, ast.Call, ast.Subscript, ast.UnaryOp, ast.keyword, ast.IfExp, ast.BoolOp)
BLOCKS = (ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.With, ast.Try)
MOST_WORDS = 90  # letters of an expression that is quoted


def _spots(tree: ast.Module) -> Iterator[_Spot]:
    """Every node that computes, with its surroundings."""

    def walk(parent: ast.AST, function: str, around: ast.AST | None) -> Iterator[_Spot]:
        for place, index, node in _children(parent):
            if _says_nothing(node, parent, place):
                continue
            inside = function
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                inside = node.name if function == "module" else f"{function}.{node.name}"
            fits = isinstance(node, (*SAYING, ast.stmt)) and len(_head(node)) <= MOST_WORDS
            closest = node if fits else None if isinstance(node, BLOCKS) else around
            if isinstance(node, (ast.expr, ast.stmt)):
                yield _Spot(node, parent, place, index, closest or node, inside)
            yield from walk(node, inside, closest)

    yield from walk(tree, "module", None)


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for place, value in ast.iter_fields(parent):
        if isinstance(value, ast.AST):
            yield place, None, value
        elif isinstance(value, list):
            yield from ((place, index, each) for index, each in enumerate(value) if isinstance(each, ast.AST))


def _head(node: ast.AST) -> str:
    """A node in words; a statement with a body is too long to quote."""
    if isinstance(node, BLOCKS):
        return " " * (MOST_WORDS + 1)
    return ast.unparse(node)


def _says_nothing(node: ast.AST, parent: ast.AST, place: str) -> bool:
    """Annotations, messages, guards and imports: nothing in them computes."""
    if isinstance(node, (ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr)):
        return True
    if isinstance(node, ast.If) and _only_raises(node):
        return True
    if isinstance(node, ast.FunctionDef) and _is_guard(node.name) and _returns_nothing(node):
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: lengths that differ are caught in tests
        return True
    if isinstance(node, ast.UnaryOp) and isinstance(parent, ast.Call) and ast.unparse(parent.func).endswith(".reshape"):
        return True  # any negative number means "whatever is left"
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.Call)):
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return called is None or _is_guard(ast.unparse(called).rpartition(".")[2])
    if isinstance(parent, ast.ClassDef) and place in ("bases", "decorator_list"):
        return True
    annotation = place in ("annotation", "returns", "decorator_list")
    return annotation or (isinstance(parent, ast.AnnAssign) and place == "target")


def _only_raises(node: ast.If) -> bool:
    """Whether every branch ends by raising: a guard, and the words it says."""
    others = all(isinstance(each, ast.If) and _only_raises(each) for each in node.orelse)
    return isinstance(node.body[-1], ast.Raise) and others


def _is_guard(name: str) -> bool:
    return name.lstrip("_").startswith(("check", "require"))


def _returns_nothing(node: ast.FunctionDef) -> bool:
    return node.returns is not None and ast.unparse(node.returns) == "None"


def _alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """Small wrong things to put in place of a node."""
    match node:
        case ast.BinOp(left, operator, right):
            yield from (ast.BinOp(left, other(), right) for other in SWAPPED_OPERATORS.get(type(operator), ()))
            if isinstance(operator, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
                yield ast.BinOp(right, operator, left)
            if isinstance(operator, (ast.Add, ast.Sub, ast.Mult)) and not _is_text(left):
                yield from (copy.deepcopy(left), copy.deepcopy(right))
        case ast.Compare(left, [operator], [right]):
            for other in SWAPPED_COMPARISONS.get(type(operator), ()):
                yield ast.Compare(left, [other()], [right])
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand) if not isinstance(operand, ast.Constant):
            yield copy.deepcopy(operand)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
            if value in (1, 2):
                yield ast.Constant(value - 1)
        case ast.Constant(float(value)):
            yield ast.Constant(value * 2 if value else 1.0)
        case ast.Attribute(value, "T" | "mT"):
            yield copy.deepcopy(value)
        case ast.Call(ast.Attribute(value, name, context), arguments, keywords) if name in SISTERS:
            yield ast.Call(ast.Attribute(value, SISTERS[name], context), arguments, keywords)
        case ast.Call(ast.Attribute(_, "where") as function, [condition, yes, no], keywords):
            yield ast.Call(function, [condition, no, yes], keywords)
        case ast.Call(function, [ast.Name() as a, ast.Name() as b, *rest], words) if _has_an_order(function):
            yield from (ast.Call(function, [*pair, *rest], words) for pair in _mixed_up(a, b))
        case ast.IfExp(test, yes, no):
            yield ast.IfExp(test, no, yes)
        case ast.If(test, body, orelse) | ast.While(test, body, orelse):
            yield type(node)(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.AugAssign(target, operator, value):
            yield from (ast.AugAssign(target, other(), value) for other in SWAPPED_OPERATORS.get(type(operator), ()))
            if isinstance(operator, (ast.Add, ast.Sub, ast.Mult)):
                yield ast.Assign([target], value)
        case ast.Return(value) if value is not None:
            yield from (ast.Return(wrong) for wrong in _wrong_results(value))


def _wrong_results(value: ast.expr) -> Iterator[ast.expr]:
    """The returned value, or one of several, with the wrong sign or twice as large."""
    if isinstance(value, ast.Tuple):
        for index, each in enumerate(value.elts):
            if isinstance(each, (ast.Name, ast.BinOp)) and not _is_cache(each):
                for wrong in _wrong_results(each):
                    yield ast.Tuple([*value.elts[:index], wrong, *value.elts[index + 1 :]], ast.Load())
    elif isinstance(value, (ast.Name, ast.BinOp, ast.Call, ast.Subscript)) and not _is_text(value):
        yield ast.UnaryOp(ast.USub(), value)
        yield ast.BinOp(ast.Constant(2.0), ast.Mult(), value)


def _mixed_up(first: ast.Name, second: ast.Name) -> Iterator[tuple[ast.Name, ast.Name]]:
    """Two arguments that changed places, or one of them twice; names in capitals are what messages call a layer."""
    if first.id != second.id and not (first.id.isupper() or second.id.isupper()):
        yield from ((second, first), (first, first), (second, second))


def _has_an_order(function: ast.expr) -> bool:
    name = ast.unparse(function).rpartition(".")[2]
    return name not in SYMMETRIC and not _is_guard(name)


def _is_cache(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and ("cache" in node.id or "config" in node.id or "param" in node.id)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, (ast.JoinedStr, ast.Tuple, ast.List)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@contextmanager
def _aside() -> Iterator[None]:
    """In a folder of its own and without a word: a planted bug may print or write files."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), TemporaryDirectory() as folder, chdir(folder):
        warnings.simplefilter("ignore")
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield


class _TooLong(Exception):
    """A planted bug made a loop endless."""


@contextmanager
def _in_time() -> Iterator[None]:
    """Raise after a while, where the system has alarms; they work in the main thread alone."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
