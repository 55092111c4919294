"""Mistakes about losses, scores and probabilities."""

import numpy as np

from pellucid.proof.errata.erratum import Erratum

SCORES = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])  # cat, car, frog; one row a picture
LABELS = np.array([0, 1, 2])

CORRECT_CLASS_SCORES = Erratum(
    title="Which scores belong to the right classes",
    printed="The table of the SVM example sets 5.1, in the column of the cat, in bold: the score of its own class.",
    right="The scores of the right classes are 3.2 (cat), 4.9 (car) and -3.1 (frog); 5.1 is the cat's score as a car.",
    measure="difference from the first picture's printed loss of 2.9 with that score as the right one",
    error=lambda right: abs(sum(max(0.0, s - right + 1) for s in SCORES[0] if s != right) - 2.9),
    printed_version=5.1,
    right_version=3.2,
)

ERRATA = (CORRECT_CLASS_SCORES,)
