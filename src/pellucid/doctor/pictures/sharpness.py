"""Pictures much less sharp than the others of their set."""

import numpy as np

from pellucid.core.verdict import Verdict
from pellucid.doctor.finding import Finding
from pellucid.doctor.pictures.light import UNIFORM
from pellucid.doctor.pictures.measures import Measures
from pellucid.doctor.pictures.outliers import are_few, robust_z

FAR = 4.0  # robust standard deviations from the rest of the set
LEAST = 0.55  # blur below which a picture is sharp whatever the others are
STEP = 0.03  # the least such deviation


def judge_blur(measures: Measures) -> list[Finding]:
    """Blur is judged where pictures have detail, and against the set: a set of soft pictures is no alarm."""
    values = np.where(measures.spread >= UNIFORM, measures.blur, np.nan)
    far = robust_z(values, STEP)
    found = np.flatnonzero((far > FAR) & (values > LEAST))
    if not len(found):
        return []
    rows = found[np.argsort(-values[found], kind="stable")]
    usual = float(np.nanmedian(values))
    evidence = (
        f"{len(rows):,} of {len(values):,} pictures are blurred: up to {values[rows[0]]:.2f} from 0 (sharp) to 1, "
        f"where half of the set is below {usual:.2f}"
    )
    notes = tuple(f"blur {values[row]:.2f}" for row in rows)
    if not are_few(len(rows), len(values)):
        verdict = Verdict("blurred-pictures", "info", f"{evidence}; so many that the set seems to be like that")
    else:
        cause = "motion, focus, or small pictures that were enlarged"
        verdict = Verdict("blurred-pictures", "warn", evidence, cause, "look at them, and remove what cannot be told")
    return [Finding(verdict, tuple(rows.tolist()), notes=notes)]
