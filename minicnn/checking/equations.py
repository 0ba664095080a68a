"""The equations that a student derives, numbered for messages, exercises and docs/equations.md."""

import re
from dataclasses import dataclass

EQUATIONS: dict[str, tuple[str, ...]] = {
    "batch norm": (
        "μ = (1/m) Σ x                             m = N·H·W values a channel, or N features",
        "σ² = (1/m) Σ (x - μ)²",
        "x̂ = (x - μ) · r                           r = 1 / sqrt(σ² + eps)",
        "y = γ · x̂ + β",
        "dβ = Σ dy",
        "dγ = Σ dy · x̂",
        "dx = T1 - T2 - T3                         T1 = γ·r·dy, T2 = γ·r·mean(dy), "
        "T3 = γ·r·x̂·mean(dy·x̂)    r = 1 / sqrt(σ² + eps), x̂ = (x - μ) · r",
        "running = momentum · running + (1 - momentum) · batch",
        "evaluation: y = γ · (x - running mean) / sqrt(running variance + eps) + β",
        "evaluation: dx = γ · dy / sqrt(running variance + eps)              "
        "and x̂ in dγ is of the running statistics",
    ),
    "layer norm": (
        "μ[n] = (1/m) Σ x[n]                       over all m = H·W·C values, or D, of sample n",
        "σ²[n] = (1/m) Σ (x[n] - μ[n])²",
        "x̂ = (x - μ) · r                           r = 1 / sqrt(σ² + eps)",
        "y = γ · x̂ + β                             γ and β have one value a channel",
        "dβ = Σ dy                                 over all axes but the channels",
        "dγ = Σ dy · x̂",
        "g = γ · dy                                ∂L/∂x̂; its means run over a sample",
        "dx = T1 - T2 - T3                         T1 = r·g, T2 = r·mean(g), "
        "T3 = r·x̂·mean(g·x̂)",
    ),
    "group norm": (
        "μ[n,k] = (1/m) Σ x[n,u,v,c]               over the m = H·W·C/G values of group k",
        "σ²[n,k] = (1/m) Σ (x[n,u,v,c] - μ[n,k])²",
        "x̂ = (x - μ) · r                           r = 1 / sqrt(σ² + eps)",
        "y = γ · x̂ + β                             γ and β have one value a channel",
        "dβ = Σ dy                                 over all axes but the channels",
        "dγ = Σ dy · x̂",
        "g = γ · dy                                ∂L/∂x̂; its means run over a group of a sample",
        "dx = T1 - T2 - T3                         T1 = r·g, T2 = r·mean(g), "
        "T3 = r·x̂·mean(g·x̂)",
    ),
    "convolution": (
        "y[n,p,q,k] = b[k] + Σ(i,j,c) x̃[n, p·s+i, q·s+j, c] · w[i,j,c,k]     "
        "x̃ is x in a rim of zeros",
        "OH = floor((H + 2·padding - KH) / s) + 1, and OW likewise",
        "dx̃[n,u,v,c] = Σ(p,i: p·s+i=u) Σ(q,j: q·s+j=v) Σ(k) dy[n,p,q,k] · w[i,j,c,k]",
        "dx = dx̃ without the rim",
        "dw[i,j,c,k] = Σ(n,p,q) x̃[n, p·s+i, q·s+j, c] · dy[n,p,q,k]",
        "db[k] = Σ(n,p,q) dy[n,p,q,k]",
    ),
    "pooling": (
        "y[n,p,q,c] = max(i,j) x[n, p·s+i, q·s+j, c]",
        "(i*, j*)[n,p,q,c] = the first place in row-major order at which the maximum stands",
        "dx[n,u,v,c] = Σ(p,q: p·s+i*=u, q·s+j*=v) dy[n,p,q,c]",
        "average: y[n,p,q,c] = mean(i,j) x[n, p·s+i, q·s+j, c]",
        "average: dx[n,u,v,c] = Σ(p,q whose window holds u,v) dy[n,p,q,c] / (its pixels)",
        "global average: y[n,c] = mean(u,v) x[n,u,v,c]",
        "global average: dx[n,u,v,c] = dy[n,c] / (H·W)",
    ),
    "dense": (
        "y = x · w + b                             x (N, D), w (D, M), b (M,)",
        "dx = dy · wᵀ",
        "dw = xᵀ · dy",
        "db = Σ(n) dy[n]",
    ),
    "activation": (
        "ReLU: y = max(x, 0)",
        "ReLU: dx = dy where x > 0, else 0",
        "leaky ReLU: y = x where x > 0, else slope · x",
        "leaky ReLU: dx = dy where x > 0, else slope · dy",
        "ELU: y = x where x > 0, else α · (exp(x) - 1)",
        "ELU: dx = dy where x > 0, else α · exp(x) · dy",
    ),
    "dropout": (
        "m is 1 / keep with probability keep, else 0      keep = 1 - rate",
        "training: y = x · m",
        "training: dx = dy · m                     the same m",
        "evaluation: y = x, dx = dy",
    ),
    "softmax": (
        "p[n,c] = exp(z[n,c] - max z[n]) / Σ(c') exp(z[n,c'] - max z[n])",
        "L = (1/N) Σ(n) (log Σ(c) exp(z[n,c]) - z[n,label[n]])     "
        "= -(1/N) Σ(n) log p[n,label[n]]",
        "dz[n,c] = (p[n,c] - [c = label[n]]) / N",
    ),
    "hinge loss": (
        "L = (1/N) Σ(n) Σ(c) max(0, margin[n,c])      "
        "margin[n,c] = z[n,c] - z[n,label[n]] + 1 where c ≠ label[n], else 0",
        "dz[n,c] = [margin[n,c] > 0] / N           where c ≠ label[n]",
        "dz[n,label[n]] = -(number of margins[n] above 0) / N",
    ),
    "momentum": (
        "v = momentum · v - lr · dw                v begins at 0",
        "w = w + v",
        "minicnn's form: v = momentum · v + g, w = w - lr · v",
        "Nesterov's, in minicnn's form: w = w - lr · (g + momentum · v)",
        "without momentum: w = w - lr · dw",
    ),
    "RMSProp": (
        "s = decay · s + (1 - decay) · dw²         s begins at 0",
        "w = w - lr · dw / (sqrt(s) + eps)",
    ),
    "Adam": (
        "t = t + 1                                 t begins at 0",
        "m = beta1 · m + (1 - beta1) · dw, s = beta2 · s + (1 - beta2) · dw²     "
        "both begin at 0",
        "m̂ = m / (1 - beta1ᵗ), ŝ = s / (1 - beta2ᵗ)",
        "w = w - lr · m̂ / (sqrt(ŝ) + eps)",
    ),
}
"""By topic; equation 1 is the first."""


GIVES: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "batchnorm": ("batch norm", {
        "y": (4, 1, 2, 3), "dx": (7,), "dgamma": (6,), "dbeta": (5,),
        "running_mean": (8,), "running_var": (8,), "y in evaluation": (9,),
        "dx in evaluation": (10,), "dgamma in evaluation": (10, 6),
    }),
    **{f"{group}norm": (f"{group} norm", {
        "y": (4, 1, 2, 3), "dx": (8, 7), "dgamma": (6,), "dbeta": (5,),
    }) for group in ("layer", "group")},
    "conv2d": ("convolution", {"y": (1, 2), "dx": (3, 4), "dw": (5,), "db": (6,)}),
    "maxpool2d": ("pooling", {"y": (1,), "dx": (3, 2)}),
    "avgpool2d": ("pooling", {"y": (4,), "dx": (5,)}),
    "global_avgpool2d": ("pooling", {"y": (6,), "dx": (7,)}),
    "dense": ("dense", {"y": (1,), "dx": (2,), "dw": (3,), "db": (4,)}),
    "relu": ("activation", {"y": (1,), "dx": (2,)}),
    "leaky_relu": ("activation", {"y": (3,), "dx": (4,)}),
    "elu": ("activation", {"y": (5,), "dx": (6,)}),
    "dropout": ("dropout", {
        "y": (2, 1, 4), "dx": (3, 4), "y in evaluation": (4,), "dx in evaluation": (4,),
    }),
    "softmax": ("softmax", {"y": (1,)}),
    "softmax_cross_entropy": ("softmax", {"y": (2, 1), "dlogits": (3, 1)}),
    "svm": ("hinge loss", {"y": (1,), "dlogits": (2, 3)}),
    "sgd": ("momentum", {"y": (5,)}),
    "sgd_momentum": ("momentum", {"y": (2, 1)}),
    "sgd_update": ("momentum", {"y": (3, 4)}),
    **{f"rmsprop{form}": ("RMSProp", {"y": (2, 1)}) for form in ("", "_update")},
    **{f"adam{form}": ("Adam", {"y": (4, 3, 2, 1)}) for form in ("", "_update")},
}
"""By operation its topic, and by array the equations that give it, the nearest first."""

NORMALISATIONS = ("batch norm", "layer norm", "group norm")
"""Topics with the same equations, under the same numbers up to that of dγ."""


@dataclass(frozen=True)
class Equation:
    """Where a fault stands in the mathematics."""

    topic: str
    number: int

    def within(self, topic: str) -> "Equation | None":
        """The same equation of a kindred topic, None of another; itself where the topic is none."""
        if topic in ("", self.topic):
            return self
        if not {self.topic, topic} <= set(NORMALISATIONS):
            return None
        last = len(EQUATIONS[topic]) if (self.topic, self.number) == ("batch norm", 7) else None
        return Equation(topic, last or self.number)

    def __str__(self) -> str:
        return f"docs/equations.md: {self.topic}, equation {self.number}"

    @property
    def lines(self) -> list[str]:
        """The equation itself, and what it says of its letters."""
        return re.split(r" {2,}", EQUATIONS[self.topic][self.number - 1])

    @property
    def text(self) -> str:
        """The same in one line."""
        return "; ".join(self.lines)


def equation_of(operation: str, array: str, broken: Equation | None = None) -> Equation | None:
    """The equation that gives an array of an operation.

    Parameters
    ----------
    operation : str
        minicnn's name of it.
    array : str
        ``"dx"``, for example, or ``"y in evaluation"``.
    broken : Equation or None
        The one that a fault breaks: it is taken if it is one of those that give the array, or if
        none is known to.

    Returns
    -------
    Equation or None
        None where nothing is known of either.
    """
    topic, arrays = GIVES.get(operation, ("", {}))
    numbers = arrays.get(array) or arrays.get(array.removesuffix(" in evaluation"), ())
    known = [Equation(topic, number) for number in numbers]
    broken = broken.within(topic) if broken else None
    return broken if broken in known or not known else known[0]
