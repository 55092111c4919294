"""Parts of networks that torch lacks, what can be said of any network without training it, and how it runs."""
