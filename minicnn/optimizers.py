"""Optimizers: one step of gradient descent, in five variants.

Throughout, w is a parameter's value, g its gradient (after clipping and weight decay), t the step,
counted from 1, and lr the learning rate. All state is kept in arrays of the parameter's shape.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minicnn import ops, validation
from minicnn.files import registry
from minicnn.layers.parameters import Parameter, copies, here, load_arrays
from minicnn.ops import global_norm


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    parameters : iterable of Parameter
        What to learn, usually ``model.parameters()``.
    lr : float > 0
        Learning rate; may be changed between steps.
    weight_decay : float >= 0, default 0.0
        λ of the penalty ½ λ ‖w‖²: λ·w is added to each gradient (`AdamW` decouples it instead).
    decay_all : bool, default False
        Decay biases and batch norm's parameters too, which are spared otherwise.
    clip_norm : float > 0, optional
        Greatest norm of all gradients taken as one vector; a longer one is scaled down to it
        (Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063, algorithm 1).

    Attributes
    ----------
    steps : int
        Steps taken.

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range, there are no parameters, or two of them have
        one name.
    """

    slots: tuple[str, ...] = ()
    """Names of the arrays that the optimizer keeps for each parameter."""

    def __init__(
        self, parameters: Iterable[Parameter], lr: float, *, weight_decay: float = 0.0,
        decay_all: bool = False, clip_norm: float | None = None,
    ) -> None:
        kind = type(self).__name__
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError(f"{kind}: there are no parameters to optimize")
        names = Counter(parameter.name for parameter in self.parameters)
        for name, count in names.items():
            if count > 1:
                raise ValueError(
                    f"{kind}: {count} parameters are called {name}; rename their layers"
                )
        self.lr = validation.number(kind, "lr", lr, 0, ends="()")
        self.weight_decay = validation.number(kind, "weight_decay", weight_decay, 0)
        self.decay_all = validation.flag(kind, "decay_all", decay_all)
        if clip_norm is not None:
            validation.number(kind, "clip_norm", clip_norm, 0, ends="()")
        self.clip_norm = clip_norm
        self.steps = 0
        self._state = {
            f"{parameter.name}.{slot}": np.zeros(parameter.data.shape, parameter.data.dtype)
            for parameter in self.parameters
            for slot in self.slots
        }

    def step(self) -> None:
        """Change every parameter once, by the gradients of the last backward.

        Raises
        ------
        RuntimeError
            Where a parameter has no gradient yet.
        """
        gradients = self._gradients()
        scale = self._clipping(gradients)
        self.steps += 1
        self._state = {name: here(array) for name, array in self._state.items()}
        self._update(
            [parameter.data_here() for parameter in self.parameters], gradients,
            *([self._state[f"{parameter.name}.{slot}"] for parameter in self.parameters]
              for slot in self.slots),
            scale=scale,
            decay=[self.weight_decay if parameter.decays or self.decay_all else 0.0
                   for parameter in self.parameters],
        )

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all arrays that the next step depends on, with ``"steps"`` and ``"lr"``."""
        return {"steps": np.array(self.steps), "lr": np.array(self.lr), **copies(self._state)}

    def live_state(self) -> dict[str, np.ndarray]:
        """What is kept of each parameter, by name: the arrays that steps change."""
        return dict(self._state)

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a `state_dict`.

        Raises
        ------
        ValueError
            Where a name is missing or unknown, or a shape differs.
        """
        steps, lr = np.zeros((), np.int64), np.zeros(())
        load_arrays({"steps": steps, "lr": lr, **self._state}, dict(state), type(self).__name__)
        self.steps, self.lr = int(steps), float(lr)

    def _gradients(self) -> list[Any]:
        """The gradients of the last backward."""
        gradients = []
        for parameter in self.parameters:
            if parameter.grad is None:
                raise RuntimeError(f"{parameter.name} has no gradient: call model.backward first")
            gradients.append(parameter.grad)
        return gradients

    def _clipping(self, gradients: list[Any]) -> float:
        """The factor that brings the norm of all gradients down to `clip_norm`; 1 where it fits."""
        if self.clip_norm is None:
            return 1.0
        norm = global_norm(gradients)
        return 1.0 if norm <= self.clip_norm else self.clip_norm / norm

    def _update(
        self, w: list[Any], g: list[Any], *slots: list[Any], scale: float, decay: list[float]
    ) -> None:
        """Change the values of all parameters, and their slots, by their gradients."""
        raise TypeError(f"{type(self).__name__} does not say how to update")


class SGD(Optimizer):
    """Stochastic gradient descent: ``v = momentum · v + g``, ``w -= lr · v``.

    With Nesterov's momentum ``w -= lr · (g + momentum · v)`` (Sutskever et al. 2013, *On the
    importance of initialization and momentum in deep learning*, section 2, as PyTorch writes it).

    Parameters
    ----------
    parameters, lr, weight_decay, decay_all, clip_norm
        See `Optimizer`; lr is 0.01 by default.
    momentum : float in [0, 1), default 0.0
    nesterov : bool, default False
        Needs a momentum above 0.
    """

    slots = ("v",)

    def __init__(
        self, parameters: Iterable[Parameter], lr: float = 0.01, *, momentum: float = 0.0,
        nesterov: bool = False, weight_decay: float = 0.0, decay_all: bool = False,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay, decay_all=decay_all,
                         clip_norm=clip_norm)
        self.momentum = validation.number("SGD", "momentum", momentum, 0, 1, ends="[)")
        self.nesterov = validation.flag("SGD", "nesterov", nesterov)
        if nesterov and momentum == 0:
            raise ValueError("SGD: nesterov needs a momentum above 0, got 0")

    def _update(
        self, w: list[Any], g: list[Any], *slots: list[Any], scale: float, decay: list[float]
    ) -> None:
        ops.sgd_update(
            w, g, *slots, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, scale=scale,
            decay=decay,
        )


class RMSprop(Optimizer):
    """``s = decay · s + (1 - decay) · g²``, ``w -= lr · g / (sqrt(s) + eps)``.

    Tieleman and Hinton 2012, *Lecture 6.5: rmsprop*.

    Parameters
    ----------
    parameters, lr, weight_decay, decay_all, clip_norm
        See `Optimizer`; lr is 0.01 by default.
    decay : float in [0, 1), default 0.99
    eps : float > 0, default 1e-8
    """

    slots = ("s",)

    def __init__(
        self, parameters: Iterable[Parameter], lr: float = 0.01, *, decay: float = 0.99,
        eps: float = 1e-8, weight_decay: float = 0.0, decay_all: bool = False,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay, decay_all=decay_all,
                         clip_norm=clip_norm)
        self.decay = validation.number("RMSprop", "decay", decay, 0, 1, ends="[)")
        self.eps = validation.number("RMSprop", "eps", eps, 0, ends="()")

    def _update(
        self, w: list[Any], g: list[Any], *slots: list[Any], scale: float, decay: list[float]
    ) -> None:
        ops.rmsprop_update(
            w, g, *slots, lr=self.lr, smoothing=self.decay, eps=self.eps, scale=scale, decay=decay
        )


class Adam(Optimizer):
    """``m`` and ``s`` follow g and g²; corrected for their start at 0 they give the step.

    ``m = beta1 · m + (1 - beta1) · g``, ``s = beta2 · s + (1 - beta2) · g²``,
    ``w -= lr · m̂ / (sqrt(ŝ) + eps)`` with ``m̂ = m / (1 - beta1ᵗ)``, ``ŝ = s / (1 - beta2ᵗ)``
    (Kingma and Ba 2014, arXiv:1412.6980, algorithm 1).

    Parameters
    ----------
    parameters, lr, weight_decay, decay_all, clip_norm
        See `Optimizer`; lr is 0.001 by default.
    beta1 : float in [0, 1), default 0.9
    beta2 : float in [0, 1), default 0.999
    eps : float > 0, default 1e-8
    """

    slots = ("m", "s")

    def __init__(
        self, parameters: Iterable[Parameter], lr: float = 0.001, *, beta1: float = 0.9,
        beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0,
        decay_all: bool = False, clip_norm: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, weight_decay=weight_decay, decay_all=decay_all,
                         clip_norm=clip_norm)
        kind = type(self).__name__
        self.beta1 = validation.number(kind, "beta1", beta1, 0, 1, ends="[)")
        self.beta2 = validation.number(kind, "beta2", beta2, 0, 1, ends="[)")
        self.eps = validation.number(kind, "eps", eps, 0, ends="()")

    def _update(
        self, w: list[Any], g: list[Any], *slots: list[Any], scale: float, decay: list[float]
    ) -> None:
        ops.adam_update(
            w, g, *slots, lr=self.lr, beta1=self.beta1, beta2=self.beta2, eps=self.eps,
            step=self.steps, scale=scale, decay=decay,
        )


class AdamW(Adam):
    """`Adam` with weight decay apart from the gradient: ``w -= lr · λ · w`` before each step.

    Loshchilov and Hutter 2017, arXiv:1711.05101, algorithm 2, with λ scaled by lr as in PyTorch.

    Parameters
    ----------
    parameters, lr, beta1, beta2, eps, decay_all, clip_norm
        See `Adam`.
    weight_decay : float >= 0, default 0.01
    """

    def __init__(
        self, parameters: Iterable[Parameter], lr: float = 0.001, *, beta1: float = 0.9,
        beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.01,
        decay_all: bool = False, clip_norm: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, beta1=beta1, beta2=beta2, eps=eps,
                         weight_decay=weight_decay, decay_all=decay_all, clip_norm=clip_norm)

    def _update(
        self, w: list[Any], g: list[Any], *slots: list[Any], scale: float, decay: list[float]
    ) -> None:
        ops.adam_update(
            w, g, *slots, lr=self.lr, beta1=self.beta1, beta2=self.beta2, eps=self.eps,
            step=self.steps, scale=scale, shrink=[self.lr * share for share in decay],
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD, "rmsprop": RMSprop, "adam": Adam, "adamw": AdamW,
}
"""The optimizers by the names that experiments use."""


def from_config(
    config: Mapping[str, Any], parameters: Iterable[Parameter], where: str = "optimizer"
) -> Optimizer:
    """An optimizer from ``{"name": …, settings …}``.

    Raises
    ------
    InputError
        For an unknown name or setting, or a value out of range; `where` begins the message.
    """
    settings = dict(config)
    return registry.build(OPTIMIZERS, settings.pop("name", None), settings, where, parameters)
