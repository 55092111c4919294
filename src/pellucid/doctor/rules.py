"""Every rule by its id: what it looks for. The id of a verdict is one of these."""

RULES: dict[str, str] = {
    # the data
    "unreadable-files": "files that cannot be opened as pictures",
    "skipped-records": "records that a table, a mask or a folder describes wrongly",
    "odd-sizes": "pictures much longer or smaller than the others",
    "dark-pictures": "pictures that are nearly black, in a set that is not",
    "bright-pictures": "pictures that are nearly white, in a set that is not",
    "blurred-pictures": "pictures much less sharp than the others",
    "uniform-pictures": "pictures of one colour",
    "duplicates": "copies inside one split",
    "leaked-duplicates": "copies in two splits, which make the result too good",
    "leaked-groups": "groups, such as one patient's pictures, that lie in two splits",
    "class-imbalance": "classes that occur far more often than others",
    "empty-class": "classes that no record has",
    "class-missing-from-split": "classes that occur, but not in every split",
    "labels-out-of-range": "labels or mask values that are no class",
    "background-class": "a class that means nothing, or not known, learned like any other",
    "empty-masks": "masks without a pixel that has a class",
    "label-noise": "labels that models doubt which did not see the picture",
    "drift": "splits whose pictures or proportions differ",
    # before training
    "initial-loss": "the loss before any update is that of a model that knows nothing",
    "batch-scaling": "a rate scaled with the batch stays within what was shown to work",
    "input-normalised": "the first layer gets numbers of mean about 0 and deviation about 1",
    "double-softmax": "outputs that are probabilities already go into a loss that takes their softmax",
    "gradients-reach-all": "every parameter that is to be trained gets a gradient",
    "train-eval-slip": "dropout and batch norm act in training, and only there",
    "batch-mixing": "the answer to a picture depends on which others lie in its batch",
    "regularisation-raises-loss": "penalties add to the loss, and less than the loss itself",
    "overfit-tiny-batch": "a few pictures are learned by heart",
    "learning-rate": "at the rate of the settings the loss falls within 100 steps",
    "rate-found": "the rate that was searched for, and how far the loss fell at it",
    "course-defaults": "which of the course's recommended defaults the run uses",
    # while training
    "batch-in-parts": "a batch goes through the model in parts, by wish or because memory ended",
    "non-finite": "a loss, gradient, weight or pixel is NaN or infinite",
    # fitted models
    "choice-at-border": "the best value of a setting lies at the edge of what was tried",
    "chosen-soundly": "settings were chosen on pictures that were not trained on",
    "fit-not-converged": "a fit stopped before it reached its optimum",
    # a search
    "seed-noise": "the best candidates of a search differ by no more than another seed makes",
    # after training
    "test-opened-again": "the test split was measured more than once",
    "verify-examples": "stored examples are there and readable",
    "verify-outputs": "stored examples are still answered as they were",
}
