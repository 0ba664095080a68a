"""What every layer is: arrays, a forward, a backward, and the shapes between them."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Self

import numpy as np

from minicnn import initializers
from minicnn.layers.array_spec import ArraySpec, require_made, require_specs, specs_of
from minicnn.layers.parameters import Parameter, copies, here, load_arrays
from minicnn.layers.shapes import Shape
from minicnn.ops import backend


class Layer:
    """Base of all layers.

    A layer is a dataclass of its settings. `build` gives it its arrays, once the shape of its
    input is known; `Sequential` does so, and otherwise the first forward, with seed 0. `forward`
    keeps what `backward` needs until the next forward.

    A new kind of layer defines `forward` and `backward`; one that changes the shape also
    `output_shape`, one with parameters or running statistics `arrays`, and one that multiplies
    `multiply_adds`. To be saved it is a dataclass, and to be loaded it stands in
    `minicnn.layers.LAYERS` under its name.

    On the cuda backend x, dy and the layer's own arrays lie on the GPU, and the operations of
    `minicnn.ops` take and give such arrays. A layer that is written in NumPy begins with
    ``x = np.asarray(self.built_for(x))`` and ``dy = np.asarray(dy)``, and so runs on every backend.

    `arrays` is where the arrays of a layer are described; what makes, counts, limits or saves them
    reads it. A layer defines `create` only where that is not enough: for random numbers in
    forward, or for arrays that no initializer draws.

    Attributes
    ----------
    name : str
        For messages and for the names of its parameters; `Sequential` numbers its layers.
    input_shape : tuple of int or None
        Shape of one input, without the batch axis; None before `build`.
    rng : numpy.random.Generator or None
        What a random layer draws from, made by `create`; checkpoints keep its state.
    cache : object
        What the last forward kept for backward; None before.

    Examples
    --------
    A layer of one's own: a learnt factor for each channel.

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from minicnn import Sequential
    >>> from minicnn.layers import LAYERS, ArraySpec, Layer
    >>> @dataclass(eq=False)
    ... class Scale(Layer):
    ...     start: float = 1.0
    ...
    ...     def arrays(self, input_shape):
    ...         return [ArraySpec("factor", (input_shape[-1],), self.start)]
    ...
    ...     def forward(self, x, training=False):
    ...         x = self.built_for(x)
    ...         self.cache = x
    ...         return x * self.data("factor")  # (N, ..., C) · (C,)
    ...
    ...     def backward(self, dy):
    ...         axes = tuple(range(dy.ndim - 1))
    ...         self.set_gradients(factor=(dy * self.kept()).sum(axes))
    ...         return dy * self.data("factor")
    >>> LAYERS["Scale"] = Scale
    >>> model = Sequential([Scale(start=2.0)], input_shape=(3,))
    >>> model.forward([[1.0, 2.0, 3.0]])
    array([[2., 4., 6.]], dtype=float32)
    >>> model.backward(np.array([[1.0, 0.0, -1.0]]))
    array([[ 2.,  0., -2.]])
    >>> model.parameters()[0].grad
    array([ 1.,  0., -3.])
    """

    name: str
    input_shape: Shape | None
    rng: np.random.Generator | None
    cache: Any
    _parameters: dict[str, Parameter]
    _buffers: dict[str, np.ndarray]

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        layer = super().__new__(cls)
        layer.name = cls.__name__.lower()
        layer.input_shape = None
        layer.rng = None
        layer.cache = None
        layer._parameters = {}
        layer._buffers = {}
        return layer

    # -- what a kind of layer defines -----------------------------------------------------------

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output from the shape of one input, both without the batch axis.

        Raises
        ------
        ValueError
            Where the layer cannot take such an input.
        """
        return input_shape

    def arrays(self, input_shape: Shape) -> Iterable[ArraySpec]:
        """Declare the arrays for inputs of this shape, in the order in which they are drawn.

        Nothing is made here. Most layers have none.
        """
        return []

    def create(self, input_shape: Shape, dtype: np.dtype, rng: np.random.Generator) -> None:
        """Make what `arrays` declares.

        A kind that defines it makes the same arrays, with `add_parameter` and `add_buffer`; one
        that draws random numbers in forward spawns `rng` here. It defines `arrays` too;
        no model file can bring it back otherwise.
        """
        for spec in self.arrays(input_shape):
            if spec.learnt:
                self.add_parameter(spec.name, spec.draw(rng, dtype), decays=spec.decays)
            else:
                self.add_buffer(spec.name, spec.draw(rng, dtype))

    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """The layer's output for a batch.

        Parameters
        ----------
        x : array_like (N, \\*input_shape)
            Real numbers. What is kept for backward may refer to x and to the parameters: change
            neither before it.
        training : bool, default False
            Whether the layer behaves as in training, where that differs.

        Returns
        -------
        ndarray (N, \\*output_shape)
            Of the parameters' dtype, or float64 if x is wider than float32.

        Raises
        ------
        TypeError
            Where x does not hold real numbers.
        ValueError
            Where x has another shape than the layer takes, or is empty.
        """
        raise TypeError(f"{type(self).__name__} does not define forward")

    def backward(self, dy: Any) -> np.ndarray:
        """Gradients of the last forward: sets ``grad`` of every parameter.

        Parameters
        ----------
        dy : array_like (N, \\*output_shape)
            Gradient of the loss with respect to the layer's output.

        Returns
        -------
        ndarray (N, \\*input_shape)
            dx, of the forward's dtype.

        Raises
        ------
        RuntimeError
            Where no forward came before.
        TypeError, ValueError
            Where dy does not hold real numbers, or has another shape than the output.
        """
        raise TypeError(f"{type(self).__name__} does not define backward")

    def backward_first(self, dy: Any) -> None:
        """As `backward`, for a network's first layer, whose dx nobody needs.

        A layer that can save time so defines it.
        """
        self.backward(dy)

    def multiply_adds(self, input_shape: Shape) -> int:
        """Multiplications (each with its addition) that the forward of one input takes."""
        return 0

    # -- what all have in common ----------------------------------------------------------------

    def build(
        self,
        input_shape: Shape,
        *,
        dtype: Any = "float32",
        rng: np.random.Generator | None = None,
    ) -> Shape:
        """Create the parameters for inputs of this shape.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one input, without the batch axis.
        dtype : {"float32", "float64"}
            Of the parameters.
        rng : numpy.random.Generator, optional
            Draws the weights; seed 0 by default.

        Returns
        -------
        tuple of int
            Shape of one output.

        Raises
        ------
        ValueError
            Where the layer cannot take such an input, or makes other arrays than it declares.
        TypeError
            Where `arrays` gives something else than declarations.
        """
        shape = self.output_shape(tuple(input_shape))
        declared = self.declared_arrays(input_shape) if self.declares_arrays else None
        self.input_shape = tuple(input_shape)
        self._parameters, self._buffers, self.cache = {}, {}, None
        try:
            self.create(
                self.input_shape, np.dtype(dtype), np.random.default_rng(0) if rng is None else rng
            )
            if declared is not None:
                require_made(type(self).__name__, declared, self._parameters, self._buffers)
        except Exception:
            self.input_shape = None  # it is not built
            raise
        return shape

    @property
    def declares_arrays(self) -> bool:
        """Whether the layer says what arrays it makes: one that defines `create` alone does not.

        Nor does one that makes more than the kind that it derives from has declared.
        """
        creates, declares = (
            next(kind for kind in type(self).__mro__ if name in vars(kind))
            for name in ("create", "arrays")
        )
        return issubclass(declares, creates)

    def declared_arrays(self, input_shape: Shape) -> list[ArraySpec]:
        """What `arrays` declares, checked; of a built layer that declares nothing, what it has.

        Raises
        ------
        TypeError
            Where a layer that is not built defines `create` without `arrays`, or `arrays` gives
            something else than declarations.
        ValueError
            Where `arrays` declares a name twice.
        """
        kind = type(self).__name__
        if self.declares_arrays:
            return require_specs(kind, self.arrays(tuple(input_shape)))
        if self.input_shape is None:
            raise TypeError(
                f"{kind}: defines create but not arrays; declare what it makes, with def "
                "arrays(self, input_shape): return [minicnn.layers.ArraySpec(name, shape, "
                "initializer), ...], or [] where it makes no array"
            )
        return specs_of(self._parameters, self._buffers)

    def state_size(self, input_shape: Shape) -> int:
        """How many numbers the arrays for such inputs hold: parameters and running statistics."""
        return sum(spec.size for spec in self.declared_arrays(input_shape))

    def parameters(self) -> list[Parameter]:
        """The layer's parameters, named ``layer.parameter``."""
        return list(self._parameters.values())

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the arrays of the layer's state: parameters and running statistics."""
        return copies(self.live_state())

    def live_state(self) -> dict[str, np.ndarray]:
        """The arrays of the layer's state themselves, under their full names."""
        arrays = {parameter.name: parameter.data for parameter in self.parameters()}
        arrays |= {f"{self.name}.{key}": buffer for key, buffer in self._buffers.items()}
        return arrays

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Take over the arrays of a `state_dict`, converted to the layer's own dtype.

        Raises
        ------
        ValueError
            Where a name is missing or unknown, or a shape differs.
        """
        load_arrays(self.live_state(), state, type(self).__name__)

    def config(self) -> dict[str, Any]:
        """The layer's settings as JSON-ready values, its kind under ``"type"``.

        Raises
        ------
        TypeError
            Where the layer is no dataclass, and so does not say what its settings are.
        """
        if not is_dataclass(self):
            raise TypeError(f"{self.name}: a layer must be a dataclass to have a config")
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        for key, value in settings.items():
            if isinstance(value, initializers.Initializer):
                settings[key] = initializers.spec_of(value)
        return {"type": type(self).__name__, **settings}

    def rename(self, name: str) -> None:
        """Give the layer another name, and its parameters with it."""
        self.name = name
        for key, parameter in self._parameters.items():
            parameter.name = f"{name}.{key}"

    def forget(self) -> None:
        """Drop what the last forward kept for backward, and its memory."""
        self.cache = None

    # -- what a kind of layer is written with ---------------------------------------------------

    def add_parameter(self, key: str, data: np.ndarray, *, decays: bool = False) -> None:
        """Make `data` a parameter under this key; for `create`."""
        self._parameters[key] = Parameter(f"{self.name}.{key}", data, decays=decays)

    def add_buffer(self, key: str, data: np.ndarray) -> None:
        """Make `data` part of the state, but not learnt, under this key; for `create`."""
        self._buffers[key] = data

    def data(self, key: str) -> Any:
        """The live array of a parameter or buffer, None if the layer has none of this key.

        It lies where the chosen backend computes; the layer keeps it there.
        """
        if key in self._parameters:
            return self._parameters[key].data_here()
        if key in self._buffers:
            self._buffers[key] = here(self._buffers[key])
            return self._buffers[key]
        return None

    def set_gradients(self, **gradients: np.ndarray | None) -> None:
        """Set the ``grad`` of the parameters of these keys; a key without a parameter is ignored.

        So that a gradient of None may be handed on where there is no bias.
        """
        for key, gradient in gradients.items():
            if key in self._parameters:
                self._parameters[key].grad = gradient

    def built_for(self, x: Any) -> Any:
        """x as an array of the chosen backend; builds the layer for it, if that is to be done."""
        x = backend().asarray(x)
        if self.input_shape is None:
            self.build(x.shape[1:], dtype="float64" if x.dtype == np.float64 else "float32")
        return x

    def kept(self) -> Any:
        """The cache of the last forward.

        Raises
        ------
        RuntimeError
            Where there was none.
        """
        if self.cache is None:
            raise RuntimeError(f"{self.name}: backward needs a forward before it")
        return self.cache
