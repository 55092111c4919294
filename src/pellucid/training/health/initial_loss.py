"""The first sanity check of every run: before training, the loss is what theory says."""

import math

from pellucid.core.verdict import Verdict

PASS_WITHIN = 0.15  # relative; random initial scores raise the loss by half their variance, so not 0
WARN_WITHIN = 0.40


def check_initial_loss(measured: dict[str, float], expected: dict[str, float]) -> list[Verdict]:
    """Compare each loss of the first batch, before any update, with its value for a net that knows nothing.

    Args:
        measured: loss name -> value.
        expected: loss name -> value in theory, such as ln K for softmax over K classes; NaN where none is known.
    """
    verdicts = []
    for name, theory in expected.items():
        value = measured[name]
        if math.isnan(theory):
            continue
        off = abs(value - theory) / theory
        evidence = f"{name} starts at {value:.3f}; a model that knows nothing has {theory:.3f} ({off:.0%} off)"
        if off <= PASS_WITHIN:
            verdicts.append(Verdict("initial-loss", "pass", evidence))
            continue
        if value == 0:
            cause = "nothing in the batch counts: all its labels mean 'ignore'; or the model knows the answer already"
        elif value > theory:
            cause = "the first scores are far from equal: a biased or too large last layer, or labels shifted by one"
        else:
            cause = "the model already knows the answer: pretrained weights, or the label leaks into the input"
        cure = "initialise the last layer near 0, without a bias towards one class, and look at the class names"
        verdicts.append(Verdict("initial-loss", "warn" if off <= WARN_WITHIN else "fail", evidence, cause, cure))
    return verdicts
