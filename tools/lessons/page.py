"""One lesson as Markdown: formula, derivation, picture, code, proofs. All of it is read from the source or measured."""

import ast
import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from pellucid.proof.case import Subject
from pellucid.proof.mutation import Outcome
from pellucid.proof.prove import Proof

NUMBER = re.compile(r"\d(\.\d)?e[-+]\d+|\d+ of \d+")  # what differs from machine to machine


@dataclass(frozen=True)
class Words:
    """The parts of a module's docstring."""

    title: str
    formula: str
    derivation: str
    source: str


def words(module: ModuleType) -> Words:
    """Title sentence, formula, derivation and source of a module of `pellucid.scratch`."""
    said = inspect.getdoc(module) or ""
    title, _, rest = said.partition("\n\nFormula:\n")
    formula, _, rest = rest.partition("\nDerivation:\n")
    derivation, _, source = rest.partition("\nSource:")
    if not (title and formula and derivation and source):
        raise SystemExit(f"{module.__name__}: its docstring must have Formula:, Derivation: and Source:")
    return Words(title.strip(), _dedent(formula), _dedent(derivation), " ".join(source.split()))


def _dedent(text: str) -> str:
    return inspect.cleandoc("\n" + text).strip("\n")


def code(module: ModuleType) -> str:
    """The source without its docstring."""
    source = inspect.getsource(module)
    first = ast.parse(source).body[0]
    return "\n".join(source.splitlines()[first.end_lineno :]).strip("\n")


def page(name: str, subject: Subject, proofs: Sequence[Proof], planted: Outcome, has_picture: bool) -> str:
    """The whole page of one source file."""
    module, said = subject.module, words(subject.module)
    path = module.__name__.replace(".", "/") + ".py"
    return (
        "\n\n".join(
            [
                f"# {said.title.rstrip('.')}",
                *([f"![{_caption(said.title)}](pictures/{name}.svg)"] if has_picture else []),
                f"## Formula\n\n```text\n{said.formula}\n```",
                f"## Derivation\n\n```text\n{said.derivation}\n```",
                f"Source: {said.source}",
                f"## Code\n\n[`src/{path}`](../../src/{path})\n\n```python\n{code(module)}\n```",
                f"## Proofs\n\n{proof_table(proofs)}",
                planted_words(planted, subject),
                f"`pellucid gradcheck --all --only {name}` runs the proofs; `make lessons` writes this page. "
                "[All layers](README.md)",
            ]
        )
        + "\n"
    )


def proof_table(proofs: Sequence[Proof]) -> str:
    """A row a layer of the file; checks of other kinds are counted below."""
    measured = [proof for proof in proofs if proof.check is None]
    checks = [proof for proof in proofs if proof.check is not None]
    lines = []
    if measured:
        lines += [
            "| layer | gradient error | adjoint error | twin error | against loops |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        lines += [
            f"| {p.name} | {short(p.gradient)} | {short(p.adjoint)} | {short(p.twin)} | {short(p.loops)} |"
            for p in measured
        ]
    if checks:
        lines += ["", *(f"- holds, error {short(p.check)}: {p.name}" for p in checks)]
    return "\n".join(lines).strip("\n")


def planted_words(planted: Outcome, subject: Subject) -> str:
    """How many planted bugs were caught, and why the others change nothing."""
    caught = f"Planted bugs: {planted.caught} of {planted.planted} were caught by these proofs."
    rest = [f"- `{name}`: {subject.harmless[name]}" for name in planted.survivors if name in subject.harmless]
    return "\n".join([caught + (" The others change nothing:" if rest else ""), *([""] if rest else []), *rest])


def short(error: float | None) -> str:
    """An error with two digits; a dash where there is no such proof."""
    return "-" if error is None else "0" if error == 0 else f"{error:.1e}"


def without_numbers(text: str) -> str:
    """A page with its measured numbers blanked: those alone may differ from machine to machine."""
    return NUMBER.sub("#", re.sub(r"(?<=\| )0(?= \|)|(?<=error )0(?=:)", "#", text))


def _caption(title: str) -> str:
    return title.rstrip(".").replace("[", "(").replace("]", ")")
