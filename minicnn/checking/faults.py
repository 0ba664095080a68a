"""The catalogue of faults that a student's file can have: what is wrong, and in which equation."""

from dataclasses import dataclass

from minicnn.checking.equations import Equation


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes
    ----------
    id : str
        For programs.
    lesson : str
        One sentence for the student: what is wrong and what belongs there.
    equation : Equation or None
        The one that is broken; None where it is of no operation in particular.
    """

    id: str
    lesson: str
    equation: Equation | None

    def within(self, topic: str) -> "Fault":
        """This fault as it is told of another topic: layer norm has equations like batch norm's;
        of a topic that is not kin no equation is cited."""
        equation = self.equation and self.equation.within(topic)
        lesson = self.lesson if equation == self.equation else OF_GROUPS.get(self.id, self.lesson)
        return Fault(self.id, lesson, equation)


def _faults(topic: str, *rows: tuple[str, int, str]) -> dict[str, Fault]:
    return {id: Fault(id, lesson, Equation(topic, number)) for id, number, lesson in rows}


FAULTS: dict[str, Fault] = {
    "axis-kept": Fault(
        "axis-kept", "the numbers are right, in a shape with an axis of length 1 too many or too "
        "few", None,
    ),
    **_faults(
        "batch norm",
        ("bn-missing-mean-term", 7,
         "dx lacks the term through the batch mean: every x moves the mean, and the mean moves "
         "every y"),
        ("bn-missing-variance-term", 7,
         "dx lacks the term through the batch variance: every x moves the variance, and the "
         "variance scales every y"),
        ("bn-statistics-constant", 7,
         "dx treats the batch's mean and variance as constants, but both depend on x"),
        ("bn-variance-term-sign", 7,
         "the term through the variance is added to dx where it is subtracted"),
        ("bn-gamma-missing", 7, "dx lacks the factor gamma, by which y scales x̂"),
        ("bn-gamma-squared", 7, "gamma is applied twice in dx"),
        ("bn-wrong-count", 1,
         "a mean is taken with the wrong divisor: each channel has m = N·H·W values (N for "
         "features)"),
        ("bn-sum-for-mean", 7, "a sum stands where a mean over the batch belongs"),
        ("bn-wrong-axes", 1,
         "the statistics are taken over the wrong axes: one mean and variance a channel, over all "
         "other axes"),
        ("bn-std-power", 3,
         "the wrong power of the standard deviation: variance where the deviation belongs, or the "
         "reverse"),
        ("bn-eps-missing", 3, "eps is left out or stands outside the root: r = 1 / sqrt(σ² + eps)"),
        ("bn-unbiased-variance", 2,
         "x is normalised with the variance of divisor m - 1; batch norm divides by m"),
        ("bn-dgamma-not-normalized", 6,
         "dgamma multiplies dy with x or x - mean where the normalised x̂ belongs"),
        ("bn-dgamma-wrong-reduction", 6,
         "dgamma and dbeta are sums over every axis but the channels, not means or partial sums"),
        ("bn-running-not-updated", 8, "the running statistics do not change in training"),
        ("bn-running-momentum-swapped", 8,
         "momentum weighs the old running value, 1 - momentum the batch's; here they are "
         "exchanged"),
        ("bn-eval-uses-batch", 9,
         "evaluation normalises with the batch's own statistics where the running ones belong"),
        ("bn-eval-without-affine", 9,
         "evaluation normalises without gamma and beta, which belong to y in both modes"),
        ("bn-running-replaced", 8,
         "the running statistics become the batch's own: momentum has no part, and what earlier "
         "batches gave is lost"),
        ("bn-running-var-with-eps", 8,
         "the running variance gathers σ² + eps; eps is added under the root alone"),
        ("bn-terms-not-summed", 7,
         "the gradients of mean and variance are taken value by value: every y depends on both, so "
         "they are sums over the batch"),
        ("bn-diagonal-only", 7,
         "dx is made of ∂y_i/∂x_i alone: every x moves the mean and the variance, and so every "
         "other y of its channel"),
    ),
    **_faults(
        "layer norm",
        ("ln-wrong-axes", 1,
         "the statistics are taken over the wrong axes: layer norm has one mean and variance a "
         "sample, group norm one a group of its channels"),
        ("ln-missing-mean-term", 8,
         "dx lacks the term through the mean: every x moves the mean, and the mean moves every y "
         "that is normalised with it"),
        ("ln-missing-variance-term", 8,
         "dx lacks the term through the variance: every x moves the variance, and the variance "
         "scales every y that is normalised with it"),
        ("ln-dgamma-wrong-reduction", 6,
         "dgamma and dbeta are sums over every axis but the channels, the samples among them"),
    ),
    **_faults(
        "convolution",
        ("conv-true-convolution", 1,
         "the kernel is flipped: this is convolution, and networks use cross-correlation"),
        ("conv-missing-bias", 1, "the bias b is not added"),
        ("conv-padding-shifted", 1,
         "the windows are shifted: the rim of zeros goes round the image, and window (0, 0) begins "
         "in its corner"),
        ("conv-stride-ignored", 1,
         "the windows advance by 1 where they advance by the stride"),
        ("conv-dx-overwritten", 3,
         "overlapping windows overwrite each other in dx where their contributions add up"),
        ("conv-dx-not-cropped", 4,
         "the rim of padding is not cut off dx as it was put on: padding pixels on every side"),
        ("conv-dx-kernel-not-rotated", 3,
         "dx correlates dy with the kernel as it is; the sum over windows turns it by 180°"),
        ("conv-dw-one-sample", 5, "dw holds one sample's contribution; it is a sum over the batch"),
        ("conv-dw-averaged", 5,
         "dw or db is averaged over the batch; the loss's own mean is already in dy, so they are "
         "sums"),
        ("conv-db-wrong-axes", 6,
         "db is not summed over the batch and both image axes: one number a filter remains"),
        ("height-width-exchanged", 2,
         "height and width are exchanged: H stands where W belongs, or the window's height where "
         "its width does"),
        ("conv-padding-fixed", 1,
         "the rim of zeros has a width of its own, whatever the padding is set to; it is the "
         "setting that says how wide it is"),
    ),
    **_faults(
        "pooling",
        ("pool-ties-shared", 2,
         "a tie passes the gradient to several positions; only the first maximum receives it"),
        ("pool-overlap-overwritten", 3,
         "overlapping windows overwrite each other in dx where their contributions add up"),
        ("pool-overlap-mask-added", 3,
         "the masks of overlapping windows are put together before dy comes in; each window's own "
         "mask takes its own dy, so that a maximum of two windows receives the one and the other"),
        ("pool-gradient-spread", 3,
         "the gradient is spread over the window, as in average pooling; only the maximum "
         "receives it"),
        ("pool-stride-ignored", 1,
         "the windows advance by their size, or by 1, where they advance by the stride"),
    ),
    **_faults(
        "activation",
        ("relu-mask-missing", 2,
         "backward passes dy through unchanged; where x was negative nothing passes"),
        ("relu-mask-from-dy", 2,
         "the mask is taken from the sign of dy; it is the sign of x that decides"),
        ("relu-returns-mask", 1,
         "forward returns 1 where x is positive; there it is x that belongs"),
    ),
    **_faults(
        "dropout",
        ("dropout-not-scaled", 1,
         "the values that stay are not divided by the probability of keeping them, so that the "
         "mean of y is not x"),
        ("dropout-scaled-in-eval", 4, "evaluation scales or drops values; there y is x"),
        ("dropout-new-mask-in-backward", 3,
         "backward does not use forward's mask: it draws another, or none"),
        ("dropout-keep-drop-swapped", 1,
         "the probabilities of keeping and of dropping are exchanged"),
        ("dropout-mask-from-normal", 1,
         "the mask compares normal numbers with the probability; uniform ones lie below p with "
         "probability p"),
        ("dropout-mask-shared", 1,
         "the mask has other axes than x, so that one draw serves several values; each value has a "
         "draw of its own"),
        ("dropout-backward-not-scaled", 3,
         "backward lacks the factor 1 / keep that forward applies"),
    ),
    **_faults(
        "dense",
        ("dense-dw-transposed", 3,
         "dw has the roles of x and dy exchanged: it is xᵀ·dy, of w's shape"),
        ("dense-db-averaged", 4,
         "db or dw is averaged over the batch; the loss's own mean is already in dy, so they are "
         "sums"),
        ("dense-bias-missing", 1, "the bias b is not added"),
    ),
    **_faults(
        "softmax",
        ("softmax-overflow", 1,
         "large logits overflow: take the row's maximum off before exp, which changes no p"),
        ("softmax-missing-mean", 2,
         "the loss or its gradient is a sum over the batch where both are means"),
        ("softmax-gradient-no-onehot", 3, "the gradient lacks the -1 at the label"),
        ("softmax-log-of-zero", 2,
         "a probability that underflows to 0 makes its logarithm infinite: take the log from the "
         "logits, z - log Σ exp(z)"),
    ),
    **_faults(
        "momentum",
        ("momentum-rate-missing", 1,
         "the learning rate is left out of the velocity or of the step, or stands in the other of "
         "them"),
        ("momentum-sign", 1,
         "a sign in the step with momentum is wrong: w goes against the gradient, and on in the "
         "direction of its velocity"),
    ),
    **_faults(
        "RMSProp",
        ("decay-swapped", 1,
         "the weights of the old and the new are exchanged: the decay rate weighs the old mean, "
         "1 - decay the new value"),
        ("rmsprop-root-missing", 2,
         "the step is divided by the mean of squares; it is divided by its root"),
        ("eps-misplaced", 2,
         "eps is not where it belongs: it is added to the root, which is sqrt(s) + eps"),
    ),
    **_faults(
        "Adam",
        ("adam-bias-correction-missing", 3,
         "the moments begin at 0 and are too small at first; they are divided by 1 - betaᵗ before "
         "they are used"),
        ("adam-step-not-counted", 1,
         "the number t of the step is wrong: every step increases it by 1, before using it, and "
         "keeps it"),
        ("adam-bias-power", 3,
         "the correction has another power of beta: it divides by 1 - betaᵗ, t the number of this "
         "step"),
    ),
}
"""By id, in the order of the catalogue."""


OF_GROUPS: dict[str, str] = {
    "bn-statistics-constant": "dx treats mean and variance as constants, but both depend on x",
    "bn-wrong-count": "a mean is taken with the wrong divisor: m is the number of values that are "
                      "normalised together",
    "bn-sum-for-mean": "a sum stands where a mean over the values that are normalised together "
                       "belongs",
    "bn-unbiased-variance": "x is normalised with the variance of divisor m - 1; the divisor is m",
    "bn-terms-not-summed": "the gradients of mean and variance are taken value by value: every y "
                           "that is normalised with them depends on both, so they are sums",
    "bn-diagonal-only": "dx is made of ∂y_i/∂x_i alone: every x moves the mean and the variance, "
                        "and so every other y that is normalised with it",
}
"""Lessons of batch norm's faults as layer norm and group norm tell them."""
