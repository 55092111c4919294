"""All errata by area, in the order of the page."""

from pellucid.proof.errata import losses
from pellucid.proof.errata.erratum import Erratum

ERRATA: dict[str, tuple[Erratum, ...]] = {
    "Losses and scores": losses.ERRATA,
}
