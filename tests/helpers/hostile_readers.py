"""The readers of strangers' files as the fuzzers see them: small valid files, and what reads them.

Each `Reader` turns any bytes into a file, reads it and says what came out. The property that all
must have: the right content, or an `InputError` of one line, and no other exception.
"""

import gzip
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from fabricated_run import FabricatedRun
from fer2013_tables import table_bytes
from PIL import Image
from safetensors.numpy import save_file

import minicnn
import minicnn.runs.folder
from minicnn import InputError, Sequential, layers
from minicnn.data import Split, Views, cache
from minicnn.data.sources.archives import open_table
from minicnn.data.sources.csv_reader import read_csv
from minicnn.data.sources.images import read_grey
from minicnn.files.tensors import HEADER_KEY, read_tensors, write_tensors
from minicnn.training import read_experiment
from minicnn.viewing.run_record import read_settings

LONGEST_MESSAGE = 2000


def any_checksum() -> Any:
    """A context in which every file's checksum is right: who makes a hostile file can reckon it."""
    return patch("minicnn.files.tensors._is_whole", return_value=True)


@dataclass(frozen=True)
class Reader:
    """A reader: its valid files, by name, and how to read the file in a folder."""

    seeds: Callable[[Path], dict[str, bytes]]
    name: str
    read: Callable[[Path], Any]

    def outcome(self, content: bytes, folder: Path) -> Any:
        """What comes of these bytes: the reader's result, or its InputError."""
        path = folder / self.name
        path.write_bytes(content)
        try:
            with warnings.catch_warnings(action="ignore"):
                return self.read(path)
        except InputError as error:
            message = str(error)
            assert message and message.isprintable(), message
            assert len(message) < LONGEST_MESSAGE
            return error


def _tensor_files(folder: Path) -> dict[str, bytes]:
    path = folder / "seed.safetensors"
    write_tensors(path, "checkpoint", {"version": 1, "nested": {"x": [None, 0.1, "ü"]}}, {
        "w": np.arange(6.0, dtype=np.float32).reshape(2, 3), "steps": np.array(7),
    })
    return {"checkpoint": path.read_bytes()}


def _read_tensors(path: Path) -> Any:
    with any_checksum():
        return read_tensors(path, "checkpoint")


def _models(folder: Path) -> dict[str, bytes]:
    path = folder / "seed.safetensors"
    seeds = {}
    for name, dtype in (("float32", "float32"), ("float64", "float64"), ("float16", "float32")):
        model = Sequential(
            [layers.Conv2D(2, (3, 1), padding=((1, 0), (0, 0))), layers.BatchNorm(),
             layers.LeakyReLU(), layers.MaxPool2D(2), layers.Dropout(0.5), layers.Flatten(),
             layers.Dense(2)], (4, 4, 1), dtype,
        )
        model.metadata = {"classes": ["a", "b"], "preprocessing": {"mean": 1.0, "deviation": 2.0},
                          "views": {"mirror": True, "shift": 1}}
        model.save(path, storage=name)
        seeds[name] = path.read_bytes()
    return seeds


def _load_and_use(path: Path) -> np.ndarray:
    """The logits of a loaded model, if it takes no more than a moment to find them."""
    with any_checksum():
        model = minicnn.load(path)
    assert all(np.isfinite(array).all() for array in model.state_dict().values())
    list(Views.of_model(model.metadata, str(path))(np.ones((1, 2, 2, 1))))
    if model.summarize().totals["multiply_adds"] > 10**6 or np.prod(model.input_shape) > 10**4:
        return np.empty(0)
    with np.errstate(all="ignore"):
        return model.predict(np.ones((1, *model.input_shape)))


def _headers(folder: Path) -> dict[str, bytes]:
    """The header of a model, for the fuzzer to change without having to mend its length."""
    content = _models(folder)["float32"]
    return {"float32": content[8 : 8 + int.from_bytes(content[:8], "little")]}


def _with_header(path: Path) -> Any:
    """The model whose header this is, its arrays all zeros."""
    header = path.read_bytes()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(104))
    return _load_and_use(path)


def _architectures(folder: Path) -> dict[str, bytes]:
    """The architectures of models, as JSON."""
    (folder / "seed").mkdir()
    seeds = {}
    for name, content in _models(folder / "seed").items():
        path = folder / "seed" / "model.safetensors"
        path.write_bytes(content)
        seeds[name] = json.dumps(read_tensors(path, "model")[0]["architecture"]).encode()
    return seeds


def _with_architecture(path: Path) -> Any:
    """The network that this architecture describes, in a file without weights."""
    text = path.read_bytes().decode(errors="replace")
    save_file({}, path, {HEADER_KEY: f'{{"kind": "model", "version": 1, "architecture": {text}}}'})
    with any_checksum():
        header, _ = read_tensors(path, "model")
    model = Sequential.from_config(header["architecture"], str(path), 10**4)
    return model.summarize()


def _caches(folder: Path) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    splits = {
        name: Split(rng.integers(0, 256, (count, 48, 48), np.uint8), np.arange(count),
                    np.array([f"{name}/{row}é" for row in range(count)], str))
        for name, count in (("train", 1), ("validation", 0), ("test", 1))
    }
    cache._save(splits, ("It was so.",), folder / "seed.safetensors")
    return {"splits": (folder / "seed.safetensors").read_bytes()}


def _read_cache(path: Path) -> Any:
    """The splits, every value of which is looked at."""
    if (known := cache._load(path)) is None:
        return None
    splits, notes = known
    assert all(isinstance(note, str) for note in notes)
    for split in splits.values():
        assert split.images.shape[1:] == (48, 48)
        assert split.images.dtype == np.uint8
        assert set(split.labels.tolist()) <= set(range(7))
        split.sources.tolist()
    return splits


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as writer:
        for name, content in members.items():
            writer.writestr(zipfile.ZipInfo(name), content, method)
    return archive.getvalue()


def tar_of(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=form) as writer:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            writer.addfile(info, io.BytesIO(content))
    return archive.getvalue()


SMALL = b"emotion,pixels,Usage\n0,1 2 3,Training\n"
"""A table short enough that the archive around it is what is fuzzed."""


def _archives(folder: Path) -> dict[str, bytes]:
    members = {"a/README": b"faces", "a/fer2013.csv": SMALL}
    long = {"n" * 120 + "é": b"x", "fer2013.csv": SMALL}
    return {
        "zip": zip_of(members), "zip, stored": zip_of(members, zipfile.ZIP_STORED),
        "tar": tar_of(members),
        "tar, pax": tar_of(long), "tar, gnu": tar_of(long, tarfile.GNU_FORMAT),
        "gz": gzip.compress(SMALL, mtime=0), "tar.gz": gzip.compress(tar_of(members), mtime=0),
        "zip of tar.gz": zip_of({"f.tar.gz": gzip.compress(tar_of(members), mtime=0)}),
    }


def _read_archive(path: Path) -> bytes:
    with open_table(path) as table:
        return table.stream.read(2 * len(SMALL))


def _read_csv(path: Path) -> Any:
    with path.open("rb") as stream:
        return read_csv(stream, str(path))


def _experiments(folder: Path) -> dict[str, bytes]:
    return {
        "named": b'name = "mine"\nseed = 3\n[model]\nname = "drawn_faces"\ndropout = 0.25\n'
        b'[optimizer]\nname = "sgd"\nlr = 0.1\n[schedule]\nname = "cosine"\nwarmup = 1\n'
        b'[augmentation]\nshift = 0.1\n[views]\nmirror = true\n[training]\n'
        b'class_weights = "balanced"\n',
        "listed": b'name = "mine"\n[model]\nlayers = [\n{type = "Conv2D", filters = 2, '
        b'kernel_size = [3, 5], stride = 4, padding = [[1, 0], [2, 2]]},\n'
        b'{type = "GlobalAvgPool2D"},\n{type = "Dense", units = 7, weight_initializer = '
        b'{name = "normal", std = 0.5}},\n]\n',
    }


def _pictures(folder: Path) -> dict[str, bytes]:
    seeds = {}
    grey = np.random.default_rng(0).integers(0, 256, (9, 7), np.uint8)
    for form, mode in (("png", "L"), ("png", "P"), ("png", "I;16"), ("jpeg", "RGB"), ("gif", "P"),
                       ("bmp", "L"), ("tiff", "RGB"), ("tiff", "F"), ("webp", "RGBA"),
                       ("ppm", "RGB"), ("avif", "RGB")):
        content = io.BytesIO()
        picture = Image.fromarray(grey)
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif} if form in ("png", "jpeg", "webp") else {}
        picture.convert(mode).save(content, form, **options)
        seeds[f"{form} {mode}"] = content.getvalue()
    return seeds


def _run_file(name: str) -> Callable[[Path], dict[str, bytes]]:
    def seeds(folder: Path) -> dict[str, bytes]:
        run = FabricatedRun(folder / "run").folder
        return {name: getattr(run, name).read_bytes()}

    return seeds


def _of_run(name: str) -> Callable[[Path], Any]:
    return lambda path: getattr(minicnn.runs.folder.RunFolder(path.parent), f"read_{name}")()


READERS = {
    "tensors": Reader(_tensor_files, "a.safetensors", _read_tensors),
    "model": Reader(_models, "a.safetensors", _load_and_use),
    "header": Reader(_headers, "a.safetensors", _with_header),
    "architecture": Reader(_architectures, "a.safetensors", _with_architecture),
    "cache": Reader(_caches, "a.safetensors", _read_cache),
    "archive": Reader(_archives, "a", _read_archive),
    "csv": Reader(lambda folder: {"csv": table_bytes(count=2)}, "a.csv", _read_csv),
    "experiment": Reader(_experiments, "a.toml", lambda path: read_experiment(
        path).completed().to_toml()),
    "settings": Reader(_run_file("experiment"), "experiment.toml", read_settings),
    "picture": Reader(_pictures, "a", read_grey),
    "results": Reader(_run_file("results"), "results.json", _of_run("results")),
    "history": Reader(_run_file("history"), "history.csv", _of_run("history")),
    "batchnorm": Reader(_run_file("batchnorm"), "batchnorm.csv", _of_run("batchnorm")),
    "layers": Reader(_run_file("layers"), "layers.csv", _of_run("layers")),
}
"""Every reader by the name that ``tests/programs/fuzz.py`` takes."""


def tokens(content: bytes) -> list[bytes]:
    """Pieces that change what a file means more often than random bytes do."""
    numbers = [b"0", b"-1", b"1e999", b"nan", b"9" * 400, b"18446744073709551615"]
    binary = [b"\xff" * 8, b"\0" * 8, (2**40).to_bytes(8, "little"), b"\x80" + b"\0" * 7]
    texts = [b"\n", b"\r", b'"', b"[" * 30, b"{", json.dumps("\ud800").encode(), b"../", b"\x1b["]
    return [*numbers, *binary, *texts, content[: len(content) // 2]]
