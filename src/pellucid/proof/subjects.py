"""Every source file with something to prove, by name and by area."""

from pellucid.proof.case import Subject
from pellucid.proof.cases import checks, layers, optimisers, second_order

AREAS: dict[str, dict[str, Subject]] = {
    "Layers": layers.SUBJECTS,
    "Update rules": optimisers.SUBJECTS,
    "Second-order optimisation": second_order.SUBJECTS,
    "Checks": checks.SUBJECTS,
}
SUBJECTS: dict[str, Subject] = {name: subject for area in AREAS.values() for name, subject in area.items()}
