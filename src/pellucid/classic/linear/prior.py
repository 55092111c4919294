"""Prior: what the bias of a classifier knows about how frequent the classes are.

Formula:
    b'_k = b_k + ln(q_k / p_k),  p_k the share of class k in training, q_k where the classifier is used

Derivation:
    By Bayes' rule the probability of class k given x is proportional to p(x | k) p_k, so its logarithm, the score,
    holds ln p_k as a term that does not depend on x: part of the bias. Where x tells nothing the bias is all there
    is, and the difference of two biases is the logarithm of the ratio of the two classes. To use the classifier where
    classes are as frequent as q, take ln p out and put ln q in. The weights stay.

Source: Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", 2002.
"""

import numpy as np
from numpy.typing import ArrayLike

from pellucid.core.errors import DataError


def prior_corrected_intercept(intercept: np.ndarray, trained_on: ArrayLike, used_on: ArrayLike) -> np.ndarray:
    """The bias for other shares of the classes; of a classifier whose scores are logarithms, as softmax regression's.

    Args:
        intercept: (K,), or (1,) of two classes, the second's above the first's.
        trained_on: (K,) samples or share of each class in the training data, each above 0.
        used_on: (K,) the same where the classifier is used.

    Returns:
        A new bias, of the shape and type of `intercept`.

    Raises:
        DataError: another number of classes, or a share that is not above 0.
    """
    trained, used = np.asarray(trained_on, np.float64), np.asarray(used_on, np.float64)
    n_classes = 2 if intercept.shape == (1,) else len(intercept)
    for name, shares in (("trained_on", trained), ("used_on", used)):
        if shares.shape != (n_classes,):
            raise DataError(f"{name} must hold {n_classes} numbers, one for each class, got shape {shares.shape}.")
        if not ((shares > 0) & np.isfinite(shares)).all():
            raise DataError(f"{name} must be above 0 for each class, got {shares.tolist()}.")
    change = np.log(used / used.sum()) - np.log(trained / trained.sum())
    if intercept.shape == (1,):
        change = change[1:] - change[:1]
    return (intercept + change).astype(intercept.dtype)
