"""A stack of layers, each fed by the one before."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import layers as layer_kinds, validation
from minicnn.errors import InputError
from minicnn.files.model import read_model, write_model
from minicnn.layers.base import Layer
from minicnn.layers.limits import FEW_NUMBERS, MOST_NUMBERS, require_modest
from minicnn.layers.parameters import Parameter, copies, load_arrays
from minicnn.layers.shapes import Shape
from minicnn.ops import arguments, backend
from minicnn.terminal import spell_on
from minicnn.weights import model_path

if TYPE_CHECKING:
    from minicnn.summary import Summary

_CONFIG = {
    "layers": (list, "a list of layers"), "input_shape": (list, "a list of lengths"),
    "dtype": (str, "float32 or float64"), "seed": (int, "an integer"),
}
"""The keys of `Sequential.config`: the type of each value, and what to call it."""


class Sequential:
    """A network in which each layer feeds the next.

    Parameters
    ----------
    layers : iterable of Layer
        Fresh layers, not part of another network. They are named by kind and count
        (``"conv2d_1"``, ``"conv2d_2"``, …) and built in order.
    input_shape : tuple of int
        Shape of one input, without the batch axis, for example ``(48, 48, 1)``.
    dtype : {"float32", "float64"}, default "float32"
        Of the parameters and the computation.
    seed : int >= 0, default 0
        Of the initial weights and of dropout.

    Attributes
    ----------
    metadata : dict
        JSON-ready values that `save` stores beside the weights, such as the names of the classes.

    Raises
    ------
    TypeError, ValueError
        Where a layer is used twice or cannot take what the one before gives out, or a setting has
        the wrong type or range.

    Examples
    --------
    >>> from minicnn import layers, Sequential
    >>> model = Sequential([layers.Flatten(), layers.Dense(7)], input_shape=(48, 48, 1))
    >>> [parameter.data.shape for parameter in model.parameters()]
    [(2304, 7), (7,)]
    """

    def __init__(
        self, layers: Iterable[Layer], input_shape: Shape, dtype: Any = "float32", seed: int = 0
    ) -> None:
        self.layers = list(layers)
        self.input_shape = _lengths(input_shape)
        self.dtype = _floating(dtype)
        self.seed = validation.integer("Sequential", "seed", seed, 0)
        self.metadata: dict[str, Any] = {}
        _require_fresh(self.layers)
        names = _names(self.layers)
        # nothing is built unless everything fits
        self.output_shape = _fitted_shape(names, self.layers, self.input_shape)
        rng, shape = np.random.default_rng(self.seed), self.input_shape
        for name, layer in zip(names, self.layers, strict=True):
            layer.rename(name)
            shape = layer.build(shape, dtype=self.dtype, rng=rng)

    def __repr__(self) -> str:
        lines = ",\n    ".join(map(repr, self.layers))
        return f"Sequential([\n    {lines},\n], input_shape={self.input_shape})"

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, place: int) -> Layer:
        return self.layers[place]

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """The last layer's output for a batch.

        Parameters
        ----------
        x : array_like (N, \\*input_shape)
            Converted to the model's dtype.
        training : bool, default False
            Whether dropout drops and batch norm uses, and learns from, the batch's statistics.

        Returns
        -------
        ndarray (N, \\*output_shape)
            Of the model's dtype.

        Raises
        ------
        TypeError
            Where x does not hold real numbers.
        ValueError
            Where x has another shape, or is empty.
        """
        x = y = self._inputs(x)
        for layer in self.layers:
            y = layer.forward(y, training=training)
        return _apart(y, x)

    def backward(self, dy: Any, *, input_gradient: bool = True) -> np.ndarray | None:
        """Gradients of the last forward: sets every parameter's ``grad``.

        Parameters
        ----------
        dy : array_like (N, \\*output_shape)
            Gradient of the loss with respect to the output.
        input_gradient : bool, default True
            Whether the gradient with respect to the input is needed. Training does without, which
            saves a part of the first layer's work.

        Returns
        -------
        ndarray (N, \\*input_shape) or None
            Gradient with respect to the input, of the model's dtype; None where it is not needed.

        Raises
        ------
        RuntimeError
            Where no forward came before.
        TypeError, ValueError
            Where dy does not hold real numbers, or has another shape than the output.
        """
        dx = dy
        for layer in reversed(self.layers[1:]):
            dx = layer.backward(dx)
        if not input_gradient:
            self.layers[0].backward_first(dx)
            return None
        return _apart(self.layers[0].backward(dx), dy)

    def predict(self, x: Any, *, batch_size: int = 256) -> np.ndarray:
        """The output in evaluation mode, computed in batches that keep nothing for backward.

        Parameters
        ----------
        x : array_like (N, \\*input_shape)
            N may be 0.
        batch_size : int >= 1, default 256

        Returns
        -------
        ndarray (N, \\*output_shape)
            For a classifier the logits; `minicnn.ops.softmax` makes probabilities of them. Of the
            model's dtype.

        Raises
        ------
        TypeError, ValueError
            As `forward`, and where batch_size is no integer of at least 1.
        """
        batch_size = validation.integer("predict", "batch_size", batch_size, 1)
        x = np.asarray(x)
        self._check_shape(x)
        outputs = [np.empty((0, *self.output_shape), self.dtype)]
        for start in range(0, len(x), batch_size):
            y = self._inputs(x[start : start + batch_size])
            for layer in self.layers:
                y = layer.forward(y, training=False)
                layer.forget()
            outputs.append(np.asarray(y))
        return np.concatenate(outputs)

    def parameters(self) -> list[Parameter]:
        """All parameters, in the order of the layers."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and running statistics, by name."""
        return copies(self.live_state())

    def live_state(self) -> dict[str, np.ndarray]:
        """All parameters and running statistics by name: the arrays that training changes."""
        return {name: array for layer in self.layers for name, array in layer.live_state().items()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over the arrays of a `state_dict`, all of them or, on an error, none.

        Raises
        ------
        ValueError
            Where a name is missing or unknown, or a shape differs.
        """
        load_arrays(self.live_state(), dict(state), "Sequential")

    def config(self) -> dict[str, Any]:
        """The architecture as JSON-ready values; `from_config` makes an equal, untrained one."""
        return {
            "layers": [layer.config() for layer in self.layers],
            "input_shape": list(self.input_shape),
            "dtype": self.dtype.name,
            "seed": self.seed,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], where: str = "model", most_weights: int = MOST_NUMBERS
    ) -> "Sequential":
        """The untrained network of a `config`.

        Its size is reckoned before anything is made (`minicnn.layers.limits`).

        Parameters
        ----------
        config : mapping
        where : str
            Begins error messages.
        most_weights : int
            How many parameters and running statistics it may have.

        Raises
        ------
        InputError
            For an unknown layer or setting, layers that do not fit each other, or a network that
            is too large.
        """
        layers = _described_layers(config, where, most_weights)
        with _mistakes_in(where):
            return cls(layers, config["input_shape"], config["dtype"], config["seed"])

    def summarize(self) -> "Summary":
        """Output shape, parameters, multiply-adds and memory of every layer."""
        from minicnn.summary import summarize  # import minicnn does not wait for tables

        return summarize(self.layers, self.input_shape, self.dtype)

    def summary(self) -> None:
        """Print `summarize` as a table."""
        spell_on(sys.stdout)
        print(self.summarize())

    def save(self, path: str | os.PathLike, *, storage: str | None = None) -> None:
        """Write weights, architecture and metadata to a safetensors file, atomically.

        `minicnn.load` brings the model back.

        Parameters
        ----------
        path : path
        storage : {"float16", "float32", "float64"}, optional
            How the numbers are stored, the model's dtype by default. Half precision halves a
            float32 model's file: it keeps three digits of numbers from 6e-5 on, fewer of smaller
            ones, and none below 3e-8.

        Raises
        ------
        ValueError
            For another storage, or one whose range a number exceeds.
        InputError
            Where the file cannot be written, or `load` would refuse its metadata: nested more than
            20 deep, or too long.
        """
        write_model(
            path, self.config(), self.live_state(), self.metadata, storage or self.dtype.name
        )

    def _inputs(self, x: Any) -> Any:
        x = arguments.numbers("Sequential", "x", x)
        self._check_shape(x)
        return backend().asarray(x, self.dtype)

    def _check_shape(self, x: np.ndarray) -> None:
        if x.shape[1:] != self.input_shape or x.ndim == 0:
            expected = ", ".join(map(str, ("N", *self.input_shape)))
            raise ValueError(f"Sequential: expected inputs ({expected}), got {x.shape}")


def outline(
    config: Mapping[str, Any], where: str = "model", most_weights: int = MOST_NUMBERS
) -> "Summary":
    """The summary of the network of a `Sequential.config`, without an array of it.

    Parameters and errors are those of `Sequential.from_config`.
    """
    from minicnn.summary import summarize  # import minicnn does not wait for tables

    layers = _described_layers(config, where, most_weights)
    with _mistakes_in(where):
        shape, dtype = _lengths(config["input_shape"]), _floating(config["dtype"])
        validation.integer("Sequential", "seed", config["seed"], 0)
        _require_fresh(layers)
        names = _names(layers)
        _fitted_shape(names, layers, shape)
        for name, layer in zip(names, layers, strict=True):
            layer.rename(name)
        return summarize(layers, shape, dtype)


def _described_layers(config: Any, where: str, most_weights: int) -> list[Layer]:
    """The layers of a `Sequential.config`, none of them built, if they are not too large."""
    _require_config(config, where)
    layers = [
        layer_kinds.from_config(layer, f"{where}: layer {number}")
        for number, layer in enumerate(config["layers"], start=1)
    ]
    with _mistakes_in(where):
        require_modest(layers, _lengths(config["input_shape"]), where, most_weights)
    return layers


@contextmanager
def _mistakes_in(where: str) -> Iterator[None]:
    """Within the block, what a constructor refuses is an `InputError` of this place."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}") from error


def _require_config(config: Any, where: str) -> None:
    """Refuse what is no table, or lacks one of the keys of a `Sequential.config`."""
    if not isinstance(config, Mapping):
        raise InputError(f"{where}: expected a table, got {config!r}")
    for key, (kind, what) in _CONFIG.items():
        if not isinstance(config.get(key), kind):
            got = repr(config[key]) if key in config else "nothing"
            raise InputError(f"{where}: {key}: expected {what}, got {got}")


def _require_fresh(layers: list[Layer]) -> None:
    """Refuse no layers at all, what is no layer, and a layer that is used already."""
    if not layers:
        raise ValueError("Sequential: expected at least one layer, got none")
    if len({id(layer) for layer in layers}) != len(layers):
        raise ValueError("Sequential: a layer stands in the list twice; make two of them")
    for layer in layers:
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: expected layers, got {layer!r}")
        if layer.input_shape is not None:
            raise ValueError(
                f"Sequential: {layer.name} is built already, for another network or by its own "
                "forward; make a new layer"
            )


def _names(layers: list[Layer]) -> list[str]:
    """The layers' names: kind and count."""
    counts: Counter[str] = Counter()
    names = []
    for layer in layers:
        kind = type(layer).__name__.lower()
        counts[kind] += 1
        names.append(f"{kind}_{counts[kind]}")
    return names


def _fitted_shape(names: list[str], layers: list[Layer], input_shape: Shape) -> Shape:
    """The shape of one output, if every layer fits the one before and declares its arrays."""
    shape = input_shape
    for name, layer in zip(names, layers, strict=True):
        try:
            output = layer.output_shape(shape)
            if layer.declares_arrays:
                layer.declared_arrays(shape)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from error
        shape = output
    return shape


def _lengths(input_shape: Iterable[Any]) -> Shape:
    """The shape of one input, of lengths of at least 1."""
    return tuple(
        validation.integer("Sequential", "a length in input_shape", length, 1)
        for length in input_shape
    )


def _apart(result: Any, given: Any) -> Any:
    """`result`, or a copy of it where it is the caller's own memory in another shape."""
    if isinstance(result, np.ndarray):
        shared = np.may_share_memory(result, np.asarray(given))
    else:
        shared = type(given) is type(result)  # of another backend, so that NumPy cannot say
    return result.copy() if shared else result


def _floating(dtype: Any) -> np.dtype:
    """`dtype` as NumPy's, if it is float32 or float64."""
    for kind in (np.float32, np.float64):
        if dtype in (kind, kind.__name__):
            return np.dtype(kind)
    raise TypeError(f"Sequential: dtype must be float32 or float64, got {dtype!r}")


def load(path: str | os.PathLike) -> Sequential:
    """Bring back a model that `Sequential.save` wrote, architecture included.

    Parameters
    ----------
    path : path or str
        A ``.safetensors`` file, or, where there is none of this name, the name of weights that
        come with the package (`minicnn.weights.pretrained_names`).

    Returns
    -------
    Sequential

    Raises
    ------
    InputError
        Where there is no such file, it is damaged or something else, or its weights do not fit
        its architecture or are not finite.
    """
    path = model_path(path)
    stored = read_model(path)
    model = Sequential.from_config(
        stored.architecture, f"{path}: architecture", max(stored.size, FEW_NUMBERS)
    )
    _fill(model, stored.arrays, path)
    model.metadata = stored.metadata
    return model


def _fill(model: Sequential, arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Give a model the arrays of its file, if they fit and are finite."""
    try:
        with np.errstate(over="ignore"):  # what becomes infinite is refused below
            model.load_state_dict(arrays)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    for name, array in model.live_state().items():
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
