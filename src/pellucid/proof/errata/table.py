"""All errata by area, in the order of the page."""

from pellucid.proof.errata import (
    activations,
    architectures,
    classical,
    convolution,
    gradients,
    losses,
    normalisation,
    optimisers,
    regularisation,
    sequences,
)
from pellucid.proof.errata.erratum import Erratum

ERRATA: dict[str, tuple[Erratum, ...]] = {
    "Losses and scores": losses.ERRATA,
    "Penalties, ensembles, transfer": regularisation.ERRATA,
    "Gradients and derivatives": gradients.ERRATA,
    "Activations and first weights": activations.ERRATA,
    "Normalisation": normalisation.ERRATA,
    "Convolution and pooling": convolution.ERRATA,
    "Classic networks": architectures.ERRATA,
    "Descent": optimisers.ERRATA,
    "Sequences": sequences.ERRATA,
    "Before deep nets": classical.ERRATA,
}
