"""The proofs of many layers, each to its end even when one breaks down: what `pellucid gradcheck` prints."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pellucid.core.choose import choose
from pellucid.core.progress import Progress
from pellucid.proof.case import Case, Check
from pellucid.proof.prove import Proof, prove
from pellucid.proof.subjects import SUBJECTS
from pellucid.proof.user_file import cases_of_file


def prove_ours(only: Sequence[str], progress: Progress, seed: int = 0) -> list[Proof]:
    """The proofs of every layer of `pellucid.scratch`, or of those files of it that are named.

    Raises:
        ConfigError: a name is unknown.
    """
    chosen = {name: choose(name, SUBJECTS, "layer") for name in only} or SUBJECTS
    cases = [_named(case, name) for name, subject in chosen.items() for case in subject.cases(subject.module)]
    return _prove(cases, progress, seed)


def _named(case: Case, subject: str) -> Case:
    """Checks, and layers called like another file, say which file they belong to."""
    shared = isinstance(case, Check) or (case.name in SUBJECTS and case.name != subject)
    return replace(case, name=f"{subject}: {case.name}") if shared else case


def prove_file(
    path: Path, only: Sequence[str], twins: Mapping[str, str], progress: Progress, seed: int = 0
) -> list[Proof]:
    """The proofs of the layers in a file of somebody's own.

    Raises:
        DataError: the file cannot be run, or has nothing to prove.
        ConfigError: a name, an input or a twin is unknown.
    """
    cases = {case.name: case for case in cases_of_file(path, SUBJECTS, twins)}
    chosen = {name: choose(name, cases, "layer") for name in only} or cases
    return _prove(list(chosen.values()), progress, seed)


def _prove(cases: Sequence[Case], progress: Progress, seed: int) -> list[Proof]:
    proofs = []
    with progress.bar("proving", len(cases)) as advance:
        for done, case in enumerate(cases, 1):
            proofs.append(prove_or_explain(case, seed))
            advance(done, case.name)
    return proofs


def prove_or_explain(case: Case, seed: int = 0) -> Proof:
    """The proofs of a case; code that raises an error has failed them, and the error says where."""
    try:
        return prove(case, seed)
    except Exception as error:  # whatever somebody's layer raises is the answer about that layer, not our failure
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        return Proof(case.name, failures=(f"{type(error).__name__} in {where}: {error}",))
