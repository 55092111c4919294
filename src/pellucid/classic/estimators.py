"""Every estimator under one roof, and `one_hot` beside its own: what imports scikit-learn, which takes seconds."""

from pellucid.classic.clustering.kmeans import KMeans
from pellucid.classic.clustering.textons import Textons
from pellucid.classic.features.random_fourier import RandomFourier
from pellucid.classic.features.visual_words import VisualWords
from pellucid.classic.linear.softmax import SoftmaxRegression
from pellucid.classic.linear.svm import LinearSVM
from pellucid.classic.neighbours.knn import KNearestNeighbors
from pellucid.classic.preprocessing.centre import Centre
from pellucid.classic.preprocessing.decorrelate import Decorrelate
from pellucid.classic.preprocessing.min_max import MinMax
from pellucid.classic.preprocessing.one_hot import OneHot, one_hot
from pellucid.classic.preprocessing.pca import PCA
from pellucid.classic.preprocessing.standardise import Standardise
from pellucid.classic.preprocessing.whiten import Whiten

__all__ = [
    "PCA", "Centre", "Decorrelate", "KMeans", "KNearestNeighbors", "LinearSVM", "MinMax", "OneHot", "RandomFourier",
    "SoftmaxRegression", "Standardise", "Textons", "VisualWords", "Whiten", "one_hot",
]  # fmt: skip
