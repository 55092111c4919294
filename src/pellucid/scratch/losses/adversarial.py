"""Adversarial losses: a discriminator tells real from generated, a generator tries to be taken for real.

Formula:
    V(D, G)          = mean ln D(x) + mean ln(1 - D(G(z))),  D = σ(score)
    discriminator    minimises -V
    generator        minimises mean ln(1 - D(G(z)))   saturating: the game as it is written
                     or        -mean ln D(G(z))       non-saturating: the same fixed point, other slopes

Derivation:
    With s the score of a generated sample, ∂ ln(1 - σ(s))/∂s = -σ(s) and ∂(-ln σ(s))/∂s = σ(s) - 1. At the start
    the discriminator sees through every sample, D near 0: the first slope is then near 0, the second near -1. So
    one trains with the second. All terms are binary cross-entropies with target 1 (real) or 0 (generated).
    For a fixed generator, p ln D + q ln(1 - D) is largest at D = p / (p + q). Where the generated distribution q
    equals the real one p, D is 1/2 everywhere and V = -2 ln 2, the lowest value that a generator can reach.

Source: Goodfellow et al., "Generative adversarial nets", 2014, arXiv:1406.2661.
"""

import numpy as np

from pellucid.scratch.losses.binary_cross_entropy import binary_cross_entropy


def gan_value(logits_real: np.ndarray, logits_fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """V(D, G), which the discriminator raises and the generator lowers, and its gradients.

    Args:
        logits_real: (N,) or (N, 1) scores of real samples, before any sigmoid.
        logits_fake: (M,) or (M, 1) scores of generated ones.

    Returns:
        V (at most 0), dlogits_real, dlogits_fake.
    """
    real, dreal = binary_cross_entropy(logits_real, np.ones_like(logits_real))
    fake, dfake = binary_cross_entropy(logits_fake, np.zeros_like(logits_fake))
    return -real - fake, -dreal, -dfake


def discriminator_loss(logits_real: np.ndarray, logits_fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """-V(D, G) and its gradients dlogits_real, dlogits_fake, of arguments as those of `gan_value`."""
    value, dreal, dfake = gan_value(logits_real, logits_fake)
    return -value, -dreal, -dfake


def generator_loss(logits_fake: np.ndarray) -> tuple[float, np.ndarray]:
    """The non-saturating loss, -mean ln D(G(z)), and its gradient.

    Args:
        logits_fake: (M,) or (M, 1) scores of generated samples, before any sigmoid.
    """
    return binary_cross_entropy(logits_fake, np.ones_like(logits_fake))


def saturating_generator_loss(logits_fake: np.ndarray) -> tuple[float, np.ndarray]:
    """The saturating loss, mean ln(1 - D(G(z))), and its gradient.

    Args:
        logits_fake: (M,) or (M, 1) scores of generated samples, before any sigmoid.
    """
    loss, dfake = binary_cross_entropy(logits_fake, np.zeros_like(logits_fake))
    return -loss, -dfake
