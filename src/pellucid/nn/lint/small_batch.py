"""Rule `small-batch`: batch norm that has too few numbers for its statistics.

Wu, He 2018, "Group Normalization" (https://arxiv.org/abs/1803.08494), table 2: on ImageNet the error of ResNet-50 with
batch norm is 23.6, 23.7, 24.8, 27.3 and 34.7 % with 32, 16, 8, 4 and 2 pictures a batch.
"""

from math import prod

from torch.nn.modules.batchnorm import _BatchNorm

from pellucid.core.verdict import Verdict
from pellucid.nn.lint.about import About, listed

RULE = "small-batch"
SMALL = 8  # pictures, from which on the published error is a point higher


def small_batch(about: About) -> list[Verdict]:
    """Batch norm and the batch it will see; nothing is judged where no batch size is given."""
    norms = {
        node.name: prod(node.shape[2:])
        for node in about.graph.nodes
        if "batch_norm" in node.operation and isinstance(node.module, _BatchNorm)
    }
    if about.batch is None or not norms:
        why = "no batch size was given" if norms else "the network has no batch norm"
        return [Verdict(RULE, "pass", why)]
    alone = [name for name, places in norms.items() if places * about.batch == 1]
    if alone:
        return [
            Verdict(
                RULE,
                "fail",
                f"{listed(alone)}: a batch of 1 on a map of 1x1 is one number a channel",
                "it has no variance, and torch refuses it in training",
                "take larger batches or pictures, drop the last incomplete batch, or use group norm",
            )
        ]
    if about.batch <= SMALL:
        return [
            Verdict(
                RULE,
                "warn",
                f"{len(norms)} batch norms see {about.batch} pictures a batch",
                "mean and variance of so few pictures are noise, and differ from the averages used in prediction",
                "take more than 8 pictures a batch, use group norm, or freeze the statistics of trained weights",
            )
        ]
    return [Verdict(RULE, "pass", f"{about.batch} pictures a batch are enough for batch norm")]
