"""PyTorch as the other program: the same network, eager, in either memory layout."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minicnn.benchmarking.timing import Task, nothing
from minicnn.benchmarking.work import BACKWARD, DATA, FORWARD, WEIGHTS
from minicnn.errors import InputError
from minicnn.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    MaxPool2D,
    ReLU,
)
from minicnn.sequential import Sequential

RELEASE = "2.13.0"
"""The release that the documentation's figures are of."""


class Torch:
    """PyTorch, in float32 alone unless TF32 is asked for; on a GPU cuDNN tries its algorithms.

    Parameters
    ----------
    device : {"cpu", "cuda"}
    channels_last : bool, default True
        How images lie in memory: its convolutions on a CPU prefer this, those on a GPU may prefer
        either.
    tf32 : bool, default False
        Whether a GPU may round the factors of products to TF32.

    Raises
    ------
    InputError
        Where PyTorch is not installed, or has no such device.
    """

    def __init__(
        self, device: str = "cpu", *, channels_last: bool = True, tf32: bool = False
    ) -> None:
        try:
            import torch
        except ImportError as error:
            raise InputError(
                f"PyTorch is not installed; pip install torch=={RELEASE}", argument="against"
            ) from error
        self.torch: Any = torch
        self.device, self.channels_last, self.tf32 = device, channels_last, tf32
        self.name = "PyTorch" + " NCHW" * (not channels_last) + " TF32" * tf32
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("PyTorch finds no GPU", argument="against")

    def use_threads(self, count: int) -> None:
        """Compute with so many threads."""
        self.torch.set_num_threads(count)

    def layer(
        self, layer: Layer, x: np.ndarray, dy: np.ndarray, *, first: bool
    ) -> Iterator[tuple[str, Task]]:
        """See `Program.layer`."""
        torch = self.torch
        module = self._module(layer).to(self.device)
        module.train()
        x_tensor = self._tensor(x).to(self.device).requires_grad_(not first)
        dy_tensor = self._tensor(dy).to(self.device)
        wanted = [x_tensor] * (not first) + list(module.parameters())
        yield FORWARD, self._task(lambda: module(x_tensor))
        if isinstance(layer, Conv2D):
            if not first:
                yield DATA, self._task(
                    lambda: self._convolution_gradients(module, x_tensor, dy_tensor, data=True)
                )
            yield WEIGHTS, self._task(
                lambda: self._convolution_gradients(module, x_tensor, dy_tensor, data=False)
            )
        graph: dict[str, Any] = {}

        def prepare() -> None:
            graph["y"] = module(x_tensor)
            self._wait()

        yield BACKWARD, self._task(
            lambda: torch.autograd.grad(graph["y"], wanted, dy_tensor), prepare
        )

    def step(self, network: Sequential, x: np.ndarray, labels: np.ndarray) -> Task:
        """See `Program.step`."""
        torch = self.torch
        module = self._network(network)
        module.train()
        optimizer = torch.optim.Adam(module.parameters())
        loss = torch.nn.CrossEntropyLoss()
        x_tensor = self._tensor(x).to(self.device)
        y_tensor = torch.from_numpy(labels).to(self.device)

        def run() -> None:
            optimizer.zero_grad()
            loss(module(x_tensor), y_tensor).backward()
            optimizer.step()

        return self._task(run)

    def inference(self, network: Sequential, x: np.ndarray) -> Task:
        """See `Program.inference`."""
        module = self._network(network)
        module.eval()
        x_tensor = self._tensor(x)

        def run() -> Any:
            with self.torch.inference_mode():
                return module(x_tensor.to(self.device)).cpu()

        return self._task(run)

    def _task(self, run: Callable[[], Any], prepare: Callable[[], Any] = nothing) -> Task:
        """A task that runs to its end; its precision is set, and it is prepared, before that."""

        def choose_and_prepare() -> None:
            self._choose()
            prepare()

        def run_to_its_end() -> None:
            run()
            self._wait()

        return Task(run_to_its_end, choose_and_prepare)

    def _choose(self) -> None:
        """What PyTorch keeps for the whole process, where programs of two kinds take turns."""
        backends = self.torch.backends
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = self.tf32
        backends.cudnn.benchmark = True

    def _wait(self) -> None:
        """Wait until all that was launched is done."""
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def _convolution_gradients(self, module: Any, x: Any, dy: Any, *, data: bool) -> Any:
        """dx alone, or dw and db alone."""
        with self.torch.no_grad():
            return self.torch.ops.aten.convolution_backward(
                dy, x, module.weight, list(module.bias.shape), module.stride, module.padding,
                module.dilation, False, [0, 0], 1, [data, not data, not data],
            )

    def _tensor(self, array: np.ndarray) -> Any:
        """Images in this program's layout, the rest as it is."""
        tensor = self.torch.from_numpy(np.array(array))
        if tensor.ndim == 4:
            tensor = tensor.permute(0, 3, 1, 2).contiguous(memory_format=self._memory_format)
        return tensor

    @property
    def _memory_format(self) -> Any:
        return self.torch.channels_last if self.channels_last else self.torch.contiguous_format

    def _network(self, network: Sequential) -> Any:
        return self.torch.nn.Sequential(*map(self._module, network.layers)).to(self.device)

    def _module(self, layer: Layer) -> Any:
        """PyTorch's module for a layer, with weights of its own."""
        nn, shape = self.torch.nn, layer.input_shape
        assert shape is not None
        if isinstance(layer, Conv2D):
            height, width = layer.kernel_size
            if layer.padding == "same" and height % 2 == width % 2 == 1 and layer.stride == (1, 1):
                module = nn.Conv2d(
                    shape[2], layer.filters, layer.kernel_size,
                    padding=(height // 2, width // 2), bias=layer.use_bias,
                )
                return module.to(memory_format=self._memory_format)
        if isinstance(layer, BatchNorm):
            kind = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
            return kind(shape[-1], momentum=1 - layer.momentum, eps=layer.eps)
        if isinstance(layer, LayerNorm | GroupNorm):
            groups = layer.groups if isinstance(layer, GroupNorm) else 1
            return nn.GroupNorm(groups, shape[-1], eps=layer.eps)
        if isinstance(layer, ReLU):
            return nn.ReLU()
        if isinstance(layer, MaxPool2D):
            return nn.MaxPool2d(layer.size, layer.stride)
        if isinstance(layer, Flatten):
            return nn.Flatten()
        if isinstance(layer, Dense):
            return nn.Linear(shape[0], layer.units, bias=layer.use_bias)
        raise InputError(f"no PyTorch module for {layer!r}", argument="against")
