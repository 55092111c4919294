"""Models that are fitted in one go: features by hand or by a network, and a head of `classic` on top."""

ABOUT = {
    "knn": "k nearest neighbours: the training pictures that are most alike vote",
    "svm": "Linear support vector machine on pixels or features",
    "softmax": "Softmax regression on pixels or features, solved to the optimum",
}
