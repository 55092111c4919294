"""Every rule by its id: what it looks for. The id of a verdict is one of these."""

RULES: dict[str, str] = {
    # the data
    "skipped-records": "files or records that had to be left out",
    # before training
    "initial-loss": "the loss before any update is that of a model that knows nothing",
    "batch-scaling": "a rate scaled with the batch stays within what was shown to work",
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
