"""Decorrelate: rotate the features so that no two of them are correlated."""

from pellucid.classic.preprocessing.pca import PCA


class Decorrelate(PCA):
    """The rotation of PCA with all its components: lengths and distances stay, the covariance becomes diagonal.

    Uncorrelated does not mean independent: x and x² are uncorrelated for x around 0, and one determines the other.

    Attributes:
        mean_, components_, explained_variance_: as in PCA; the last is the diagonal of the new covariance.
    """

    def __init__(self) -> None:
        super().__init__(n_components=None)
