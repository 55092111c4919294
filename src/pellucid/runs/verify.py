"""`verify`: does the model still say what it said when it was trained?"""

from pathlib import Path
from typing import Any

import torch

from pellucid.core.errors import PellucidError, RunError
from pellucid.core.verdict import Verdict
from pellucid.models.weights import read_weights
from pellucid.runs import folder as files
from pellucid.runs.examples import OUTPUTS, ask
from pellucid.runs.record import Record

TOLERANCE = 1e-3  # of the largest output; processors and library versions differ by less than a tenth of it


def verify_run(run: Record) -> list[Verdict]:
    """Compare weights, classes, preprocessing and outputs on the stored examples with what was stored.

    Raises:
        RunError: the run has no stored examples.
    """
    folder = run.folder / files.EXAMPLES
    pictures = sorted(folder.glob("*.png"))
    if not (folder / OUTPUTS).exists() or not pictures:
        raise RunError(f"{run.folder} has no stored examples: its training did not finish. Go on with --resume.")
    stored = read_weights(folder / OUTPUTS)
    trained = run.trained
    facts = trained.facts.as_dict()
    before = stored.about["facts"]
    verdicts = [
        _same("weights", trained.digest == stored.about["weights"], "the weights"),
        _same("classes", list(facts["classes"]) == list(before["classes"]), "the classes and their order"),
        _same("preprocessing", _plain(facts["preprocess"]) == _plain(before["preprocess"]), "the preprocessing"),
    ]
    if len(pictures) != len(stored.about["names"]):
        evidence = f"{len(stored.about['names'])} examples were stored, {len(pictures)} are there"
        return [*verdicts, Verdict("verify-examples", "fail", evidence, "files were removed or added", "restore them")]
    return [*verdicts, _outputs(run, pictures, stored.tensors)]


def _outputs(run: Record, pictures: list[Path], stored: dict[str, torch.Tensor]) -> Verdict:
    try:
        now = ask(run.trained, pictures)
    except PellucidError as error:
        return Verdict("verify-examples", "fail", str(error), "an example was damaged", "restore it")
    worst = 0.0
    for name, before in stored.items():
        if name not in now or now[name].shape != before.shape:
            evidence = f"output {name} has another shape than stored"
            return Verdict(
                "verify-outputs", "fail", evidence, "classes or model changed", "use the weights of this run"
            )
        worst = max(worst, float((now[name] - before).abs().max() / before.abs().max().clamp(min=1e-6)))
    evidence = f"{len(pictures)} examples predicted again; largest relative difference {worst:.1e}"
    if worst <= TOLERANCE:
        return Verdict("verify-outputs", "pass", evidence)
    cause = "weights, preprocessing, an example or the arithmetic of this version changed"
    return Verdict("verify-outputs", "fail", evidence, cause, "do not use this file before you know which")


def _same(rule: str, same: bool, what: str) -> Verdict:
    if same:
        return Verdict(
            f"verify-{rule}",
            "pass",
            f"{what} are those the examples were predicted with".replace("preprocessing are", "preprocessing is"),
        )
    return Verdict(
        f"verify-{rule}",
        "fail",
        f"{what} changed since training",
        "the weights file was edited or replaced",
        "restore the file",
    )


def _plain(preprocess: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in preprocess.items()}
