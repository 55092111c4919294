"""The verb `pellucid gradcheck`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.cli.arguments import parser, style
from pellucid.core.errors import ConfigError
from pellucid.core.progress import make_progress

if TYPE_CHECKING:
    from pellucid.proof.prove import Proof

USAGE = "gradcheck FILE.py"
DESCRIPTION = """\
Prove hand-written layers: NAME_forward(...) -> (out, cache) and NAME_backward(dout, cache) -> gradients. Names of the
course (affine_forward, svm_loss, adam) meet our inputs and PyTorch. For a layer of your own, NAME_inputs(rng) in the
file draws its arguments, unless it needs one array alone, and NAME_twin(...) is the same in PyTorch."""
ABOUT = "are the gradients in a file right? (--all: ours)"


def run(arguments: Sequence[str]) -> int:
    """Print one row a layer, then what is wrong; 1 when a proof failed."""
    made = parser(USAGE, DESCRIPTION)
    made.add_argument("file", metavar="FILE.py", type=Path, nargs="?", help="a Python file; it is executed")
    made.add_argument("--all", action="store_true", help="prove the layers of pellucid.scratch instead")
    made.add_argument("--only", metavar="NAME", action="append", default=[], help="this layer alone; may be repeated")
    made.add_argument(
        "--twin",
        metavar="NAME=FUNCTION",
        action="append",
        default=[],
        help="compare a layer with a function of PyTorch, such as mine=torch.nn.functional.gelu",
    )
    made.add_argument("--seed", type=int, default=0, help="of the random inputs")
    options = made.parse_args(list(arguments))
    if options.all == bool(options.file):
        raise ConfigError(
            "Name one file, or --all for the layers of pellucid.scratch. Example: pellucid gradcheck mine.py"
        )
    from pellucid.cli.output import print_json
    from pellucid.proof.gradcheck import prove_file, prove_ours

    twins = dict(_twin(words) for words in options.twin)
    progress = make_progress(style(options))
    if options.all:
        if twins:
            raise ConfigError("--twin is for a layer of yours; those of pellucid.scratch have theirs.")
        proofs = prove_ours(options.only, progress, options.seed)
    else:
        proofs = prove_file(options.file, options.only, twins, progress, options.seed)
    failed = [proof for proof in proofs if not proof.passed]
    if options.json:
        print_json([row(proof) | {"failures": list(proof.failures)} for proof in proofs])
    elif not options.quiet:
        _print(proofs, failed)
    return 1 if failed else 0


def row(proof: "Proof") -> dict[str, object]:
    """One row of the table."""
    return {
        "layer": proof.name,
        "gradient": _short(proof.gradient),
        "adjoint": _short(proof.adjoint),
        "twin": _short(proof.twin),
        "loops": _short(proof.loops),
        "worst index": proof.worst,
        "verdict": "right" if proof.passed else "WRONG",
    }


def _print(proofs: Sequence["Proof"], failed: Sequence["Proof"]) -> None:
    from pellucid.cli.output import print_table

    layers = [proof for proof in proofs if proof.check is None]  # the rest holds or does not; one line is enough
    print_table([row(proof) for proof in layers])
    print()
    for proof in failed:
        for sentence in proof.failures:
            print(f"{proof.name}: {sentence}")
    others = f", among them {len(proofs) - len(layers)} checks of other kinds" if len(layers) < len(proofs) else ""
    print(f"{len(proofs) - len(failed)} right, {len(failed)} wrong{others}.")
    print("Errors are relative; an empty cell: no such proof for this layer.")


def _short(error: float | None) -> str | None:
    return None if error is None else f"{error:.1e}"


def _twin(words: str) -> tuple[str, str]:
    name, equals, function = words.partition("=")
    if not (name and equals and function):
        raise ConfigError(f"--twin takes NAME=FUNCTION, got {words!r}. Example: --twin mine=torch.nn.functional.gelu")
    return name, function
