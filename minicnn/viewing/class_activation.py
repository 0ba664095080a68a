"""Grad-CAM: at which places of an image lies what speaks for a class."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn import validation
from minicnn.errors import InputError
from minicnn.layers import AvgPool2D, Dropout, Layer, MaxPool2D
from minicnn.ops import arguments, backend
from minicnn.sequential import Sequential


@dataclass(frozen=True, eq=False)
class GradCam:
    """What speaks for a class, place by place.

    Attributes
    ----------
    layer : str
        The layer whose output has these places.
    maps : ndarray (N, H, W), float32 or float64
        At least 0, in the unit of the scores (for a classifier: of the logits).
    """

    layer: str
    maps: np.ndarray


def grad_cam(
    model: Sequential, x: Any, classes: Sequence[int] | np.ndarray, *, layer: str | None = None
) -> GradCam:
    """The class activation map of each image for one class, in evaluation mode.

    With A (H, W, K) the layer's output for an image and s the score of the class, the last layer's
    output before any softmax::

        alpha[k] = mean over i, j of ds / dA[i, j, k]
        map[i, j] = max(0, sum over k of alpha[k] · A[i, j, k])

    Where only global average pooling and a dense layer follow, the sum before the maximum is
    exactly what the place adds to the score. Elsewhere it is a first-order estimate, coarse as the
    layer's output is, and what speaks against the class is left out.

    Parameters
    ----------
    model : Sequential
        Its parameters and their gradients stay as they are; what its layers kept for a backward
        is dropped.
    x : array_like (N, \\*input_shape)
        Preprocessed images.
    classes : sequence of N int
        The class to explain, for each image: the place of its score in the model's output.
    layer : str, optional
        The name of a layer whose output is (N, H, W, K). By default `spatial_layer`.

    Returns
    -------
    GradCam

    Raises
    ------
    InputError
        Where no layer's output has places, or `layer` is not the name of one that has.
    TypeError, ValueError
        Where x does not fit the model, the model does not give one score a class, or `classes`
        are not N classes.

    References
    ----------
    Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra (2017), *Grad-CAM: visual explanations from
    deep networks via gradient-based localization*, arXiv:1610.02391, equations 1 and 2. Global
    average pooling: Zhou and others (2016), *Learning deep features for discriminative
    localization*, arXiv:1512.04150.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import models, viewing
    >>> model = models.drawn_faces()
    >>> found = viewing.grad_cam(model, np.zeros((2, 48, 48, 1)), [3, 4])
    >>> found.layer, found.maps.shape
    ('relu_3', (2, 12, 12))
    """
    split = _place(model, layer) + 1
    y = _images(model, x)
    chosen = _classes(model, classes, y.shape[0])
    for below in model.layers[:split]:
        y = below.forward(y, training=False)
    activations = np.asarray(y)  # (N, H, W, K)
    gradients = _score_gradients(model.layers[split:], y, chosen, model.output_shape[0])
    for every in model.layers:
        every.forget()
    # alpha (N, 1, 1, K), then the sum over K: (N, H, W)
    alpha = gradients.mean(axis=(1, 2), keepdims=True)
    return GradCam(
        model.layers[split - 1].name, np.maximum((alpha * activations).sum(axis=3), 0)
    )


def spatial_layer(model: Sequential) -> str | None:
    """The layer that Grad-CAM looks at: the last one with places that is no pooling and no dropout.

    That is the last convolution with the batch norm and the activation that follow it, before a
    pooling makes its places coarser. Where only pooling layers have places, it is the last of them.

    Parameters
    ----------
    model : Sequential

    Returns
    -------
    str or None
        Its name; None where no layer's output has a height and a width, or all are of one place.
    """
    with_places = [layer for layer in model.layers if _has_places(layer)]
    sharp = [layer for layer in with_places
             if not isinstance(layer, MaxPool2D | AvgPool2D | Dropout)]
    return (sharp or with_places)[-1].name if with_places else None


def _has_places(layer: Layer) -> bool:
    assert layer.input_shape is not None  # a model's layers are built
    shape = layer.output_shape(layer.input_shape)
    return len(shape) == 3 and shape[0] * shape[1] > 1


def _place(model: Sequential, name: str | None) -> int:
    """The layer's place in the model."""
    if len(model.output_shape) != 1:
        raise ValueError(
            "grad_cam: expected a model that gives one score a class, (N, C), got one that gives "
            f"(N, {', '.join(map(str, model.output_shape))})"
        )
    wanted = spatial_layer(model) if name is None else name
    if wanted is None:
        raise InputError(
            "grad_cam: expected a network with a layer whose output has a height and a width, such "
            "as a convolution; this one has none, and so no places to show"
        )
    names = {layer.name: place for place, layer in enumerate(model.layers) if _has_places(layer)}
    if wanted not in names:
        raise InputError(
            f"grad_cam: layer: expected the name of a layer whose output has a height and a width "
            f"({', '.join(names) or 'this network has none'}), got {wanted!r}"
        )
    return names[wanted]


def _images(model: Sequential, x: Any) -> Any:
    """`x` as an array of the chosen backend and the model's dtype, if its shape fits."""
    x = arguments.numbers("grad_cam", "x", x)
    if x.shape[1:] != model.input_shape or x.ndim == 0:
        expected = ", ".join(map(str, ("N", *model.input_shape)))
        raise ValueError(f"grad_cam: expected images ({expected}), got {x.shape}")
    return backend().asarray(x, model.dtype)


def _classes(model: Sequential, classes: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    """`classes` as int64 (N,), if they are one a row and exist."""
    if np.ndim(classes) != 1 or len(classes) != count:
        raise ValueError(
            f"grad_cam: classes: expected {count}, one an image, got shape {np.shape(classes)}"
        )
    chosen = np.array([validation.integer("grad_cam", "a class", c, 0) for c in classes], np.int64)
    scores = model.output_shape[0]
    if (chosen >= scores).any():
        raise ValueError(
            f"grad_cam: classes: expected at most {scores - 1}, the last of the model's {scores} "
            f"scores, got {chosen.max()}"
        )
    return chosen


def _score_gradients(
    layers: Sequence[Layer], y: Any, classes: np.ndarray, scores: int
) -> np.ndarray:
    """ds / dA (N, H, W, K) of each image's score from the output A of the layers below."""
    dy: Any = np.eye(scores, dtype=np.asarray(y).dtype)[classes]  # (N, C): 1 at the class
    with _kept_gradients(layers):
        for layer in layers:
            y = layer.forward(y, training=False)
        for layer in reversed(layers):
            dy = layer.backward(dy)
    return np.asarray(dy)


@contextmanager
def _kept_gradients(layers: Sequence[Layer]) -> Iterator[None]:
    """After the block, the parameters have the gradients that they had before it."""
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    before = [parameter.grad for parameter in parameters]
    try:
        yield
    finally:
        for parameter, gradient in zip(parameters, before, strict=True):
            parameter.grad = gradient
