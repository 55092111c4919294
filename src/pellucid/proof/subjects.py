"""Every source file with something to prove, by name."""

from pellucid.proof.case import Subject
from pellucid.proof.cases import layers

SUBJECTS: dict[str, Subject] = {
    **layers.SUBJECTS,
}
