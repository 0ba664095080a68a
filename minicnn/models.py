"""The networks that come with the library."""

from minicnn import validation
from minicnn.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2D,
    Layer,
    MaxPool2D,
    ReLU,
)
from minicnn.sequential import Sequential

INPUT_SHAPE = (48, 48, 1)
CLASSES = 7


def paper(*, batch_norm: bool = True, dropout: float = 0.0, seed: int = 0) -> Sequential:
    """The network of Triwijoyo, Adil and Anggrawan (2021), as far as it is known.

    *Convolutional Neural Network With Batch Normalization for Classification of Emotional
    Expressions Based on Facial Images*, doi:10.30812/matrik.v21i1.1526. Given by the paper: faces
    of FER2013, "three layers of multiple convolution layers", batch normalisation, a network
    simpler than its predecessors, and a comparison with the same network without batch
    normalisation. Ours, because the paper does not say: 64, 128 and 256 filters of 3×3, two
    convolutions a block, each followed by batch norm and ReLU, 2×2 max pooling after each block,
    a dense layer of 256 with batch norm and ReLU, where dropout stands, and He initialization.

    Parameters
    ----------
    batch_norm : bool, default True
        False drops every batch norm and changes nothing else: the other layers start from the
        same weights.
    dropout : float in [0, 1), default 0.0
        Rate of dropout after each block and before the last layer; 0 leaves the layers out.
    seed : int, default 0
        Of the initial weights and of dropout.

    Returns
    -------
    Sequential
        From images (N, 48, 48, 1) to logits (N, 7).

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """
    _check("paper", batch_norm, dropout)
    layers: list[Layer] = []
    for filters in (64, 128, 256):
        for _ in range(2):
            layers += [Conv2D(filters, 3), *_norm(batch_norm), ReLU()]
        layers += [MaxPool2D(2), *_dropout(dropout)]
    layers += [Flatten(), Dense(256), *_norm(batch_norm), ReLU(), *_dropout(dropout)]
    layers += [Dense(CLASSES)]
    return Sequential(layers, INPUT_SHAPE, seed=seed)


def vgg(*, batch_norm: bool = True, dropout: float = 0.0, seed: int = 0) -> Sequential:
    """A deeper network for FER2013, in the manner of Simonyan and Zisserman's VGG.

    *Very deep convolutional networks for large-scale image recognition* (2014, arXiv:1409.1556):
    only 3×3 convolutions, the filters doubled after each 2×2 max pooling. Here one convolution of
    32, two of 64, three of 128 and two of 256 filters, at 48², 24², 12² and 6² places, and global
    average pooling before the one dense layer (Lin, Chen and Yan 2013, arXiv:1312.4400), so that
    it has 1.3 million parameters where `paper` has 3.5 million, and a third of its arithmetic.

    Parameters
    ----------
    batch_norm : bool, default True
        Batch norm after each convolution, which has no bias then.
    dropout : float in [0, 1), default 0.0
        Rate of dropout before the last layer; 0 leaves the layer out.
    seed : int, default 0
        Of the initial weights and of dropout.

    Returns
    -------
    Sequential
        From images (N, 48, 48, 1) to logits (N, 7).

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """
    _check("vgg", batch_norm, dropout)
    layers: list[Layer] = []
    for filters, convolutions in ((32, 1), (64, 2), (128, 3), (256, 2)):
        if layers:
            layers += [MaxPool2D(2)]
        for _ in range(convolutions):
            layers += [Conv2D(filters, 3, use_bias=not batch_norm), *_norm(batch_norm), ReLU()]
    layers += [GlobalAvgPool2D(), *_dropout(dropout), Dense(CLASSES)]
    return Sequential(layers, INPUT_SHAPE, seed=seed)


def drawn_faces(*, batch_norm: bool = True, dropout: float = 0.0, seed: int = 0) -> Sequential:
    """A small network for the drawn faces: one convolution a block, 16, 32 and 64 filters.

    About a sixtieth of the arithmetic of `paper`, so that the default run takes a minute.

    Parameters
    ----------
    batch_norm : bool, default True
        Batch norm after each convolution.
    dropout : float in [0, 1), default 0.0
        Rate of dropout before the last layer; 0 leaves the layer out.
    seed : int, default 0
        Of the initial weights and of dropout.

    Returns
    -------
    Sequential
        From images (N, 48, 48, 1) to logits (N, 7).

    Raises
    ------
    TypeError, ValueError
        Where a setting has the wrong type or range.
    """
    _check("drawn_faces", batch_norm, dropout)
    layers: list[Layer] = []
    for filters in (16, 32, 64):
        layers += [Conv2D(filters, 3), *_norm(batch_norm), ReLU(), MaxPool2D(2)]
    layers += [Flatten(), *_dropout(dropout), Dense(CLASSES)]
    return Sequential(layers, INPUT_SHAPE, seed=seed)


MODELS = {"paper": paper, "vgg": vgg, "drawn_faces": drawn_faces}
"""The networks by the names that experiments use."""


def _check(model: str, batch_norm: bool, dropout: float) -> None:
    validation.flag(model, "batch_norm", batch_norm)
    validation.number(model, "dropout", dropout, 0, 1, ends="[)")


def _norm(batch_norm: bool) -> list[Layer]:
    return [BatchNorm()] if batch_norm else []


def _dropout(rate: float) -> list[Layer]:
    return [Dropout(rate)] if rate > 0 else []
