"""Try settings for ``best-single`` with PyTorch on a GPU; minicnn trains what is chosen.

    python benchmarks/fer2013/explore.py --data fer2013.npz --seconds 400 B AdamW "100 epochs"

A network of this size takes one GPU a minute or two for what takes two processor cores two hours.
So the settings are chosen here, on PublicTest alone (PrivateTest is never read), and
docs/experiments.md lists what each gave. The steps are those of ``minicnn train``: its
augmentation, loss, schedule, average of the weights and views, but in bfloat16, from other random
numbers, and without each epoch's last batch, which is a short one.

``fer2013.npz`` holds ``images`` (N, 48, 48), ``labels`` and ``usage`` (0 training, 1 PublicTest),
all uint8. A line of JSON is printed for each try; without a GPU it runs too, slowly.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
POOL = 0
"""Stands for 2×2 max pooling among the filters of a network."""

NETWORKS = {
    "A": (32, 32, POOL, 64, 64, POOL, 128, 128, 128, POOL, 256, 256),
    "B": (32, POOL, 64, 64, POOL, 128, 128, 128, POOL, 256, 256),
    "C": (32, 32, POOL, 64, 64, POOL, 96, 96, 96, POOL, 160, 160, 160, POOL, 256),
    "D": (48, POOL, 96, 96, POOL, 128, 128, 128, POOL, 256, 224),
}


@dataclass(frozen=True)
class Settings:
    """One try. The names are those of an experiment's keys, `block_dropout` after each pooling."""

    network: str = "B"
    dropout: float = 0.3
    block_dropout: float = 0.0
    shift: float = 0.1
    rotate: float = 15
    scale: float = 0.15
    brightness: float = 0.2
    erase: float = 0.3
    label_smoothing: float = 0.1
    optimizer: str = "sgd"
    lr: float = 0.05
    weight_decay: float = 5e-4
    epochs: int = 60
    batch_size: int = 64
    weight_average: float = 0.999
    warmup: int = 3
    seed: int = 0


ADAMW = {"optimizer": "adamw", "lr": 0.002, "weight_decay": 0.05}

TRIES = {
    "A": Settings(network="A"),
    "A, little augmentation": Settings(network="A", rotate=10, scale=0.1, brightness=0, erase=0),
    "A, no dropout": Settings(network="A", dropout=0),
    "A, AdamW": Settings(network="A", **ADAMW),
    "B": Settings(),
    "B, AdamW": Settings(**ADAMW),
    "B, 100 epochs": Settings(epochs=100),
    "B, batches of 128": Settings(batch_size=128, lr=0.1),
    "B, weight decay 0.001": Settings(weight_decay=1e-3),
    "B, no dropout": Settings(dropout=0),
    "B, dropout 0.5": Settings(dropout=0.5),
    "B, dropout 0.1 after each pooling too": Settings(block_dropout=0.1),
    "B, no label smoothing": Settings(label_smoothing=0),
    "B, no erasing": Settings(erase=0),
    "C": Settings(network="C"),
    "D": Settings(network="D"),
}
"""What was tried, by the name in docs/experiments.md."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of TRIES; all by default", metavar="NAME")
    parser.add_argument("--data", required=True, type=Path, help="fer2013.npz")
    parser.add_argument("--seconds", type=float, default=math.inf, help="when to stop")
    parser.add_argument("--limit", type=int, help="only so many images of each split")
    options = parser.parse_args()
    if unknown := set(options.names) - set(TRIES):
        parser.error(f"expected some of {', '.join(TRIES)}, got {min(unknown)!r}")
    deadline = time.monotonic() + options.seconds
    splits = read(options.data, options.limit)
    for name in options.names or TRIES:
        if time.monotonic() < deadline:
            print(json.dumps({"name": name, **run(TRIES[name], splits, deadline)}), flush=True)


def read(path: Path, limit: int | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images (N, 1, 48, 48), standardised by the training pixels, and labels, of both splits."""
    with np.load(path) as arrays:
        images, labels, usage = arrays["images"], arrays["labels"], arrays["usage"]
    train, public = (np.flatnonzero(usage == code)[:limit] for code in (0, 1))
    pixels = torch.tensor(images, device=DEVICE).float()[:, None]
    pixels = (pixels - pixels[train].mean()) / pixels[train].std()
    answers = torch.tensor(labels, device=DEVICE).long()
    return pixels[train], answers[train], pixels[public], answers[public]


def run(settings: Settings, splits: tuple[Tensor, Tensor, Tensor, Tensor], deadline: float) -> dict:
    """Train and measure: the figures of every tenth epoch and, with all views, of the last."""
    started = time.monotonic()
    torch.manual_seed(settings.seed)
    images, labels, public, answers = splits
    training = Training(settings, images, labels)
    curve = []
    for epoch in range(1, settings.epochs + 1):
        accuracy = training.epoch()
        if epoch % 10 == 0 or epoch == settings.epochs:
            measured = training.accuracy([public], answers)
            curve.append([epoch, round(accuracy, 4), round(measured, 4)])
        if time.monotonic() > deadline:
            break
    return {
        "settings": asdict(settings), "epochs": epoch, "curve": curve,
        "views": round(training.accuracy(list(views(public)), answers), 4),
        "seconds": round(time.monotonic() - started, 1),
    }


class Training:
    """A network, its optimizer and the average of its weights, for one try."""

    def __init__(self, settings: Settings, images: Tensor, labels: Tensor) -> None:
        self.settings, self.images, self.labels = settings, images, labels
        self.network = build(settings).to(DEVICE).to(memory_format=torch.channels_last)
        self.parameters = list(self.network.parameters())
        self.state = [t for t in self.network.state_dict().values() if t.is_floating_point()]
        self.average = [tensor.clone() for tensor in self.state]
        self.moments = [[torch.zeros_like(p) for p in self.parameters] for _ in range(2)]
        self.rows = torch.zeros(settings.batch_size, dtype=torch.long, device=DEVICE)
        # what changes from step to step lives in tensors, for a captured step reads only tensors
        self.lr, self.move, self.right = (torch.zeros((), device=DEVICE) for _ in range(3))
        self.decay_1, self.decay_2 = (torch.ones((), device=DEVICE) for _ in range(2))
        self.steps = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def epoch(self) -> float:
        """Train on every image once; the share that was answered rightly on the way."""
        settings = self.settings
        batches = len(self.images) // settings.batch_size
        order = torch.randperm(len(self.images), device=DEVICE)
        self.right.zero_()
        for batch in range(batches):
            self.steps += 1
            warmup, total = settings.warmup * batches, settings.epochs * batches
            factor = self.steps / warmup if self.steps < warmup else (
                1 + math.cos(math.pi * (self.steps - warmup) / max(1, total - warmup))) / 2
            self.lr.fill_(settings.lr * factor)
            self.move.fill_(1 - min(settings.weight_average, (1 + self.steps) / (10 + self.steps)))
            self.rows.copy_(order[batch * settings.batch_size:][:settings.batch_size])
            self._step_on_device()
        return self.right.item() / (batches * settings.batch_size)

    def _step_on_device(self) -> None:
        """A step; on a GPU, after some to warm up, all of its kernels as one captured graph."""
        if DEVICE.type == "cpu":
            self._step()
        elif self.graph:
            self.graph.replay()
        elif self.steps < 12:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._step()
            torch.cuda.current_stream().wait_stream(side)
        else:
            torch.cuda.synchronize()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self._step()
            self.graph.replay()

    def _step(self) -> None:
        with torch.no_grad():
            x = augment(self.images[self.rows], self.settings)
            x = x.to(memory_format=torch.channels_last)
            y = self.labels[self.rows]
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=DEVICE.type == "cuda"):
            logits = self.network(x)
        loss = F.cross_entropy(logits.float(), y, label_smoothing=self.settings.label_smoothing)
        gradients = list(torch.autograd.grad(loss, self.parameters))
        with torch.no_grad():
            {"sgd": self._sgd, "adamw": self._adamw}[self.settings.optimizer](gradients)
            difference = torch._foreach_sub(self.state, self.average)
            torch._foreach_mul_(difference, self.move)
            torch._foreach_add_(self.average, difference)
            self.right.add_((logits.argmax(1) == y).float().sum())

    def _sgd(self, gradients: list[Tensor]) -> None:
        """Nesterov's momentum of 0.9; only weights decay, not biases and batch norm."""
        velocity, decay = self.moments[0], self.settings.weight_decay
        gradients = [g + decay * p if p.ndim > 1 else g
                     for g, p in zip(gradients, self.parameters, strict=True)]
        torch._foreach_mul_(velocity, 0.9)
        torch._foreach_add_(velocity, gradients)
        self._descend(torch._foreach_add(gradients, velocity, alpha=0.9))

    def _adamw(self, gradients: list[Tensor]) -> None:
        m, v = self.moments
        self.decay_1.mul_(0.9)
        self.decay_2.mul_(0.999)
        for parameter in self.parameters:
            if parameter.ndim > 1:
                parameter.mul_(1 - self.lr * self.settings.weight_decay)
        torch._foreach_lerp_(m, gradients, 0.1)
        torch._foreach_mul_(v, 0.999)
        torch._foreach_addcmul_(v, gradients, gradients, 0.001)
        root = torch._foreach_sqrt(torch._foreach_div(v, 1 - self.decay_2))
        torch._foreach_add_(root, 1e-8)
        self._descend(torch._foreach_div(torch._foreach_div(m, 1 - self.decay_1), root))

    def _descend(self, direction: list[Tensor]) -> None:
        torch._foreach_mul_(direction, self.lr)
        torch._foreach_sub_(self.parameters, direction)

    def accuracy(self, shown: list[Tensor], answers: Tensor) -> float:
        """Of the averaged weights, on these views of the same images."""
        own = [tensor.clone() for tensor in self.state]
        self._put(self.average)
        self.network.eval()
        with torch.no_grad():
            probabilities = sum(self.network(view).softmax(1) for view in shown)
        self.network.train()
        self._put(own)
        return (probabilities.argmax(1) == answers).float().mean().item()

    def _put(self, values: list[Tensor]) -> None:
        for tensor, value in zip(self.state, values, strict=True):
            tensor.copy_(value)


def build(settings: Settings) -> nn.Sequential:
    """Convolutions with batch norm, global average pooling and a dense layer, He-initialised."""
    layers: list[nn.Module] = []
    channels = 1
    for filters in NETWORKS[settings.network]:
        if filters == POOL:
            layers += [nn.MaxPool2d(2), nn.Dropout(settings.block_dropout)]
        else:
            convolution = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
            nn.init.normal_(convolution.weight, 0, math.sqrt(2 / (9 * channels)))
            layers += [convolution, nn.BatchNorm2d(filters), nn.ReLU(inplace=True)]
            channels = filters
    dense = nn.Linear(channels, 7)
    nn.init.normal_(dense.weight, 0, math.sqrt(2 / channels))
    nn.init.zeros_(dense.bias)
    pooling = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(settings.dropout)]
    return nn.Sequential(*layers, *pooling, dense)


def augment(images: Tensor, settings: Settings) -> Tensor:
    """The changes of `minicnn.data.Augmentation`, drawn and applied on the GPU."""
    count, _, height, width = images.shape

    def drawn(shape: tuple[int, ...] = (count,)) -> Tensor:
        return torch.rand(shape, device=DEVICE)

    def around(most: float) -> Tensor:
        return most * (2 * drawn() - 1)

    mirror = torch.where(drawn() < 0.5, -1.0, 1.0)
    size, angle = 1 + around(settings.scale), around(math.radians(settings.rotate))
    across, down = around(2 * settings.shift), around(2 * settings.shift)
    cosine, sine = torch.cos(angle) / size, torch.sin(angle) / size
    zero_x, zero_y = cosine * across - sine * down, sine * across + cosine * down
    places = torch.stack([
        torch.stack([cosine * mirror, -sine * mirror, -zero_x * mirror], 1),
        torch.stack([sine, cosine, -zero_y], 1)], 1)
    grid = F.affine_grid(places, (count, 1, height, width), align_corners=False)
    changed = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    changed = changed + around(settings.brightness)[:, None, None, None]
    erased = drawn() < settings.erase
    sides = [torch.ceil((1 + 2 * drawn()) / 8 * side) * erased for side in (height, width)]
    inside = []
    for side, length in zip(sides, (height, width), strict=True):
        start = torch.floor(drawn() * (length - side + 1))[:, None]
        place = torch.arange(length, device=DEVICE)[None]
        inside.append((place >= start) & (place < start + side[:, None]))
    box = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    return torch.where(box, changed.mean((1, 2, 3), keepdim=True), changed)


def views(images: Tensor) -> Iterator[Tensor]:
    """The 18 views of `minicnn.data.Views(mirror=True, shift=3)`."""
    for mirrored in (images, images.flip(3)):
        padded = F.pad(mirrored, (3, 3, 3, 3), mode="replicate")
        for down in (0, 3, 6):
            for across in (0, 3, 6):
                yield padded[:, :, down:down + 48, across:across + 48]


if __name__ == "__main__":
    main()
