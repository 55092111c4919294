"""`verify`: does the model still say what it said when it was trained?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pellucid.core.errors import PellucidError, RunError, WeightsError
from pellucid.core.files import sha256
from pellucid.core.preprocess import Preprocess
from pellucid.core.verdict import Verdict
from pellucid.models.weights import read_weights
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.examples import OUTPUTS, ask
from pellucid.runs.stored.record import Record
from pellucid.runs.stored.trained import load_trained

TOLERANCE = 1e-3  # of the largest output; processors and library versions differ by less than a tenth of it


def verify_run(run: Record) -> list[Verdict]:
    """Compare weights, classes, preprocessing and outputs on the stored examples with what was stored.

    Everything is computed on the CPU in fp32, as it was when the examples were stored.

    Raises:
        RunError: the run has no stored examples.
        WeightsError: the weights or the stored outputs are damaged, or do not belong to each other.
    """
    folder = run.folder / files.EXAMPLES
    trained = load_trained(run.folder)
    if trained.published:
        raise RunError(f"{run.folder} was not trained here, so no examples were stored to compare its answers with.")
    if not (folder / OUTPUTS).exists():
        raise RunError(f"{run.folder} has no stored examples: its training did not finish. Go on with --resume.")
    stored = read_weights(folder / OUTPUTS)
    if not {"weights", "facts", "names", "pictures"} <= stored.about.keys():
        raise WeightsError(f"{folder / OUTPUTS} does not hold what verify stores. Use another copy of it.")
    now, before = trained.facts.as_dict(), stored.about["facts"]
    verdicts = [
        _same("weights", trained.digest == stored.about["weights"], "the weights"),
        _same("classes", list(now["classes"]) == list(before["classes"]), "the classes"),
        _same("preprocessing", _plain(now["preprocess"]) == _plain(before["preprocess"]), "the preprocessing"),
    ]
    paths = [folder / name for name in stored.about["pictures"]]
    examples = _pictures(paths, stored.about["pictures"])
    if examples.status == "fail":
        return [*verdicts, examples]
    try:
        outputs = ask(trained, paths)
    except PellucidError as error:
        return [
            *verdicts,
            Verdict("verify-outputs", "fail", str(error), "an example cannot be predicted", "restore it"),
        ]
    return [*verdicts, examples, _compare(outputs, stored.tensors, len(paths))]


def _pictures(paths: list[Path], digests: Mapping[str, str]) -> Verdict:
    missing = [path.name for path in paths if not path.is_file()]
    changed = [path.name for path in paths if path.is_file() and sha256(path.read_bytes()) != digests[path.name]]
    if not missing and not changed:
        return Verdict("verify-examples", "pass", f"{len(paths)} stored pictures are unchanged")
    parts = [
        f"{len(each)} {what} ({', '.join(each)})" for what, each in (("missing", missing), ("changed", changed)) if each
    ]
    evidence = f"of {len(paths)} stored pictures {' and '.join(parts)}"
    return Verdict("verify-examples", "fail", evidence, "files were removed or edited", "restore them from a copy")


def _compare(now: Mapping[str, Tensor], stored: Mapping[str, Tensor], n: int) -> Verdict:
    worst = 0.0
    for name, before in stored.items():
        if name not in now or now[name].shape != before.shape:
            evidence = f"output {name} has another shape than stored"
            return Verdict("verify-outputs", "fail", evidence, "another model", "use the weights of this run")
        off = float((now[name] - before).abs().max() / before.abs().max().clamp(min=1e-6))
        worst = off if not off <= worst else worst  # so that a NaN stays
    evidence = f"{n} examples predicted again; largest difference {worst:.1e} of the largest output"
    if worst <= TOLERANCE:
        return Verdict("verify-outputs", "pass", evidence)
    cause = "the weights, the preprocessing, or the arithmetic of this version changed"
    return Verdict("verify-outputs", "fail", evidence, cause, "do not use this file before you know which")


def _same(rule: str, same: bool, what: str) -> Verdict:
    if same:
        return Verdict(f"verify-{rule}", "pass", f"{what} did not change since training")
    cause = "the weights file was edited or replaced"
    return Verdict(f"verify-{rule}", "fail", f"{what} changed since training", cause, "restore it from a copy")


def _plain(preprocess: dict[str, Any]) -> dict[str, Any]:
    """As plain JSON, with the usual value of what older versions did not write."""
    complete = Preprocess.from_dict(preprocess).as_dict()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in complete.items()}
