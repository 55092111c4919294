"""Every source file with something to prove, by name and by area."""

from pellucid.proof.case import Subject
from pellucid.proof.cases import layers

AREAS: dict[str, dict[str, Subject]] = {
    "Layers": layers.SUBJECTS,
}
SUBJECTS: dict[str, Subject] = {name: subject for area in AREAS.values() for name, subject in area.items()}
