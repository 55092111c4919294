"""Parts of networks that torch lacks, and what can be said of any network without training it."""
