"""What every loss of the package is before training, when all scores are equal: for K classes, T steps, P pixels.

| loss | at equal scores |
|---|---|
| softmax cross-entropy, of pictures or of pixels, with or without class weights and smoothing | ln K |
| temporal softmax, summed over the T steps that count | T ln K |
| hinge, squared hinge, smooth hinge of width 1 or less | K - 1, K - 1, (K - 1) (1 - width / 2) |
| one-against-rest squared hinge | K |
| binary cross-entropy, for each logit of a sample | ln 2 |
| GAN, by its logits: discriminator, generator, saturating generator | 2 ln 2, ln 2, -ln 2 |
| KL divergence of scores from targets p | ln K - H(p), so ln K for one-hot targets |
| l1 and l2 to targets t around scores of 0 | as the targets are: sums of |t| and of t^2 / 2 |

Random scores of deviation s raise the softmax by about s^2 / 2. From Karpathy's notes of CS231n, which name
ln 10 = 2.302 for a softmax over ten classes and 9 for the hinge.
"""

import math
from collections.abc import Callable

LN2 = math.log(2)

# loss -> its value for K classes when all scores are equal
AT_EQUAL_SCORES: dict[str, Callable[[int], float]] = {
    "cross_entropy": math.log,
    "hinge": lambda k: k - 1.0,
    "squared_hinge": lambda k: k - 1.0,
    "smooth_hinge": lambda k: (k - 1) / 2,  # of width 1
    "one_vs_rest_squared_hinge": float,
    "binary_cross_entropy": lambda k: k * LN2,  # K logits a sample
    "discriminator": lambda k: 2 * LN2,
    "generator": lambda k: LN2,
    "saturating_generator": lambda k: -LN2,
    "kl_divergence": math.log,  # from one-hot targets
}
