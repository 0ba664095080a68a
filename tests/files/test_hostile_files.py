"""Files made to do harm: each is refused in one line, soon, and before much memory is taken."""

import ast
import gzip
import json
import os
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fabricated_run import FabricatedRun
from fer2013_tables import lines_of, table_bytes
from hostile_readers import READERS, SMALL, any_checksum, tar_of, zip_of
from PIL import Image
from reading_time import ReadingTime
from safetensors.numpy import save_file

import minicnn
from minicnn import InputError, Sequential, layers
from minicnn.data import cache, fer2013
from minicnn.data.dataset import EMOTIONS
from minicnn.data.sources.archives import open_table
from minicnn.data.sources.images import read_grey
from minicnn.files import reading
from minicnn.files.nesting import MOST_NESTED
from minicnn.files.tensors import HEADER_KEY, read_tensors
from minicnn.files.toml import MOST_BYTES, MOST_DOTS
from minicnn.training import read_experiment

SECONDS = 5
BYTES = 64 * 2**20

pytestmark = pytest.mark.filterwarnings("ignore:.*there is no contrast")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MINICNN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def checksums():
    with any_checksum():
        yield


@contextmanager
def refused(message):
    """What is inside raises an InputError of one line that fits, without much time or memory."""
    tracemalloc.start()
    try:
        with ReadingTime() as taken, pytest.raises(InputError, match=message) as caught:
            yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()
    assert taken.seconds < SECONDS
    assert peak < BYTES


# Code in disguise


CODE = {"eval", "exec", "compile", "__import__"}
LOADERS = {("np", "load"), ("torch", "load"), ("pd", "read_pickle"), ("pd", "read_hdf")}
UNPICKLERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}


OWN_CODE = {
    # the interpreter of PTX runs Python that it has written itself: the names in it are its own
    "ptx/kernels.py": ["compile"], "ptx/machine.py": ["exec"],
    # changed copies of the package's own functions, and of its own starters
    "checking/mutants.py": ["exec", "compile"],
    "checking/students/exercise_examples.py": ["exec"],
    # a student's file is run: that is what its checker is asked for
    "checking/students/loading/run.py": ["exec", "exec", "compile", "compile"],
    "checking/students/loading/notebook.py": ["compile"],
    "checking/students/classes/building.py": ["compile", "eval"],
}
"""Where the package runs code that is made from text, and why it may."""


def names_of_code(tree):
    """What of a module could run what a file holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from {node.func.id} & CODE
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from [node.attr] if (node.value.id, node.attr) in LOADERS else []
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            yield node.arg
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [
                alias.name for alias in node.names]
            yield from {module.partition(".")[0] for module in modules} & UNPICKLERS


def test_nothing_that_a_file_holds_is_ever_run():
    package = Path(minicnn.__file__).parent
    paths = list(package.rglob("*.py"))
    assert len(paths) > 100
    for path in paths:
        found = list(names_of_code(ast.parse(path.read_text(encoding="utf-8"))))
        assert found == OWN_CODE.get(path.relative_to(package).as_posix(), []), path
    assert list(names_of_code(ast.parse("import pickle.x\nnp.load(f, allow_pickle=1)\neval(f)")))


# Messages


def test_a_message_stays_one_line_whatever_a_stranger_puts_into_it():
    message = str(InputError("file: got a\nb\r\x1b[31m\u2028\ud800 é" + "x" * 5000))
    assert message.startswith("file: got a\\nb\\r\\x1b[31m\\u2028\\ud800 éxxx")
    assert len(message) < 1100


# Files as such


def test_names_and_files_that_cannot_be_read(tmp_path):
    with refused("expected a thing, got an error: File name too long"):
        reading.require_file(tmp_path / ("n" * 300), "a thing")
    (tmp_path / "big").write_bytes(bytes(11))
    with refused("big: expected a thing of at most 10 bytes, got more"):
        reading.read_limited(tmp_path / "big", "a thing", 10)
    assert reading.read_limited(tmp_path / "big", "a thing", 11) == bytes(11)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_a_file_that_gives_an_error_when_it_is_read():
    with refused("/proc/self/mem: expected a thing, got an error: Input/output error"):
        reading.read_limited("/proc/self/mem", "a thing", 10)


# safetensors


def safetensors(path, header, data=b""):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def declared(dtype, shape, size):
    return {"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]},
            "__metadata__": {HEADER_KEY: '{"kind": "model"}'}}


@pytest.mark.parametrize(("dtype", "shape", "size"), [
    ("BF16", [2], 4), ("F8_E4M3", [2], 2), ("F4", [2], 1), ("F32", [0, 2**62], 0),
    ("F32", [0, 2**64 - 1], 0), ("F32", [1] * 100, 4), ("F32", [2**40], 4), ("F64", [2**63, 2], 8),
])
@pytest.mark.parametrize("taught", [False, True])
def test_arrays_that_numpy_does_not_know(tmp_path, dtype, shape, size, taught):
    if taught:  # NumPy's types grow by an import
        pytest.importorskip("ml_dtypes")
    path = safetensors(tmp_path / "a.safetensors", declared(dtype, shape, size), bytes(size))
    with refused("expected a minicnn model, got a damaged or foreign file"):
        read_tensors(path, "model")


@pytest.mark.parametrize("length", [2**24 + 1, 10**8, 2**40, 2**63, 2**64 - 1])
def test_headers_of_absurd_length_are_not_parsed(tmp_path, length):
    path = tmp_path / "a.safetensors"
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", length))
        stream.truncate(min(length + 8, 2**30))
    with refused(f"got a damaged or foreign file .a header of {length:,} bytes"):
        read_tensors(path, "model")


@pytest.mark.parametrize(("header", "message"), [
    ('{"kind": "a\\nb"}', r"expected a minicnn model, got a\\nb$"),
    ('{"kind": "model", "x": %s}' % ("9" * 5000), "damaged or foreign file"),
    ('{"kind": "model", "x": %s' % ("[" * 10**5), "damaged or foreign file"),
    ('{"kind": "model", "x": %s}' % ("[" * 500 + "]" * 500), f"at most {MOST_NESTED} deep, got"),
    ('{"kind": "model", "x": NaN}', "its header holds NaN"),
    ('{"kind": "model", "x": -Infinity}', "its header holds -Infinity"),
])
def test_headers_that_are_no_plain_json(tmp_path, header, message):
    path = tmp_path / "a.safetensors"
    save_file({}, path, {HEADER_KEY: header})
    with refused(message):
        read_tensors(path, "model")


# Models


def saved(path, tensors=None, **settings):
    """A small model's file, with other settings of its architecture or other tensors."""
    model = Sequential([layers.Flatten(), layers.Dense(2), layers.BatchNorm()], (2, 2, 1))
    config = model.config()
    header = {"kind": "model", "version": 1, "architecture": {**config, **settings}}
    save_file({**model.state_dict(), **(tensors or {})}, path, {HEADER_KEY: json.dumps(header)})
    return path


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("name", ["dense_2.w", "batchnorm_1.running_var"])
def test_weights_that_are_not_finite(tmp_path, name, value):
    name = name.replace("_2", "_1")
    array = np.ones((4, 2) if name == "dense_1.w" else 2)
    array.flat[-1] = value
    path = saved(tmp_path / "a.safetensors", {name: array})
    with refused(rf"a\.safetensors: {name}: expected finite numbers, got NaN or infinity"):
        minicnn.load(path)


DENSE = {"type": "Dense", "units": 7}


@pytest.mark.parametrize(("stack", "shape", "message"), [
    ([{"type": "Dense", "units": 10**12}], [4], r"1,048,576 weights, got 5e\+12"),
    ([{"type": "Dense", "units": 10**400}], [4], "weights, got far more"),
    ([{"type": "Conv2D", "filters": 1, "kernel_size": 10**6, "padding": 10**6}], [4, 4, 1],
     "weights"),
    ([{"type": "Conv2D", "filters": 1, "padding": 10**9}], [4, 4, 1],
     r"268,435,456 numbers for one input, got 4e\+18"),
    ([{"type": "Flatten"}], [2**31, 2**31, 2**31], "numbers for one input"),
    ([{"type": "BatchNorm"}], [10**15], "weights"),
    ([{"type": "Conv2D", "filters": 9, "kernel_size": 100}], [4000, 4000, 1],
     "68,719,476,736 multiply-adds"),
    ([{"type": "Conv2D", "filters": 1000, "use_bias": False}] * 2000, [1, 1, 1], "weights"),
])
def test_an_architecture_that_asks_for_terabytes(tmp_path, stack, shape, message):
    path = saved(tmp_path / "a.safetensors", layers=stack, input_shape=shape)
    with refused(rf"a\.safetensors: architecture: layer \d+: expected at most .*{message}"):
        minicnn.load(path)


def test_a_large_model_that_its_file_fills_is_loaded(tmp_path):
    model = Sequential([layers.Dense(1100)], (1000,))
    model.save(tmp_path / "a.safetensors")
    assert minicnn.load(tmp_path / "a.safetensors").layers[0].units == 1100


# The cache of decoded data


@pytest.mark.parametrize(("name", "array"), [
    ("train.images", np.zeros((2, 48, 47), np.uint8)), ("train.images", np.zeros((2, 48, 48))),
    ("train.labels", np.array([0, 7])), ("train.labels", np.array([-1, 0])),
    ("train.labels", np.zeros((2, 1), np.int64)), ("train.labels", np.zeros(2, np.int32)),
    ("train.labels", np.zeros(3, np.int64)), ("train.sources", np.zeros((2, 0), np.uint32)),
    ("train.sources", np.full((2, 1), 0x110000, np.uint32)),
    ("train.sources", np.zeros((3, 1), np.uint32)), ("train.sources", np.zeros(2, np.uint32)),
    ("train.sources", np.zeros((2, 1), np.int64)), ("test.images", None),
])
def test_a_cache_of_wrong_arrays_is_not_used(tmp_path, name, array):
    tensors = {}
    for split in ("train", "validation", "test"):
        tensors[f"{split}.images"] = np.zeros((2, 48, 48), np.uint8)
        tensors[f"{split}.labels"] = np.zeros(2, np.int64)
        tensors[f"{split}.sources"] = np.full((2, 3), 65, np.uint32)

    def kept(notes=()):
        text = json.dumps({"kind": cache._FORMAT, "notes": notes})
        save_file(tensors, tmp_path / "a.safetensors", {HEADER_KEY: text})
        return cache._load(tmp_path / "a.safetensors")

    assert kept(["It was so."])[1] == ("It was so.",)
    assert kept("so") is kept([3]) is kept(None) is None
    assert kept()[0]["train"].sources.tolist() == ["AAA", "AAA"]
    tensors[name] = array
    if array is None:
        del tensors[name]
    assert kept() is None


# Archives


def read_archive(path, content):
    path.write_bytes(content)
    with open_table(path) as table:
        while table.stream.read(2**20):
            pass


HEADER = b"emotion,pixels,Usage\n"
BLANK = HEADER + b"\n" * (2**24)
ZEROS = HEADER + bytes(2**26)


@pytest.mark.parametrize("pack", [
    lambda: zip_of({"fer2013.csv": ZEROS}), lambda: gzip.compress(ZEROS),
    lambda: gzip.compress(tar_of({"fer2013.csv": ZEROS})),
    lambda: gzip.compress(gzip.compress(ZEROS)),
    lambda: gzip.compress(tar_of({"a": ZEROS, "fer2013.csv": SMALL})),
    lambda: gzip.compress(zip_of({"a": ZEROS, "fer2013.csv": SMALL}, zipfile.ZIP_STORED)),
], ids=["zip", "gz", "tar.gz", "gz in gz", "beside the table", "zip in gz"])
def test_a_decompression_bomb(tmp_path, pack):
    content = pack()
    with refused(r"download.*: expected at most 16,777,216 bytes in an archive of this size"):
        read_archive(tmp_path / "download", content)


def test_blank_lines_without_end(tmp_path):
    (tmp_path / "download").write_bytes(gzip.compress(BLANK))
    with refused("download: after data row 0: expected a row of at most 524,288 characters"):
        fer2013.load(tmp_path / "download")


def raw_tar(*members):
    """A tar of headers with any size, kind and link, each with its content."""
    blocks = b""
    for name, size, kind, link, content in members:
        info = tarfile.TarInfo(name)
        info.size, info.type, info.linkname = size, kind, link
        blocks += info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)
    return blocks + bytes(1024)


FILE, LINK, LONG = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.GNUTYPE_LONGNAME


@pytest.mark.parametrize("members", [
    [("fer2013.csv", -512, FILE, "", SMALL)], [("a", -1024, FILE, "", b"")],
    [("fer2013.csv", 2**60, FILE, "", SMALL)], [("a", 2**50, LONG, "", b"x")],
    [("a", -512, LONG, "", b"x")], [("a", 2**40, tarfile.XHDTYPE, "", b"x")],
    [("a", -512, tarfile.XHDTYPE, "", b"x")], [("a", 1, LONG, "", b"x")] * 3000,
    [("fer2013.csv", 0, LINK, "/etc/passwd", b"")], [("fer2013.csv", 0, tarfile.LNKTYPE, "a", b"")],
    [("fer2013.csv", 0, tarfile.FIFOTYPE, "", b"")], [("fer2013.csv", 0, tarfile.CHRTYPE, "", b"")],
    [("a", 0, FILE, "", b"")] * 101,
], ids=range(13))
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tar", "tar.gz"])
def test_tar_members_that_are_no_table(tmp_path, monkeypatch, members, pack):
    monkeypatch.setattr("minicnn.data.sources.archives._MOST_MEMBERS", 100)
    (tmp_path / "download").write_bytes(pack(raw_tar(*members)))
    with refused("download"):
        fer2013.load(tmp_path / "download")


def test_a_link_cannot_stand_in_for_the_table(tmp_path):
    content = raw_tar(("fer2013.csv", len(SMALL), FILE, "", SMALL),
                      ("other.txt", 5, FILE, "", b"other"),
                      ("fer2013.csv", 0, LINK, "other.txt", b""))
    (tmp_path / "download").write_bytes(content)
    with open_table(tmp_path / "download") as table:
        assert table.stream.read() == SMALL


@pytest.mark.parametrize("pack", [zip_of, tar_of])
@pytest.mark.parametrize("name", ["../../fer2013.csv", "/tmp/fer2013.csv"])
def test_a_path_that_leads_elsewhere_leads_nowhere(tmp_path, pack, name):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "download").write_bytes(pack({name: table_bytes()}))
    assert len(fer2013.load(folder / "download").train)
    assert list(tmp_path.rglob("*.csv")) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_methods_that_may_ask_for_gigabytes(tmp_path, method):
    content = zip_of({"fer2013.csv": SMALL}, method)
    with refused(rf"expected an archive packed by deflate, got fer2013\.csv by method {method}"):
        read_archive(tmp_path / "download", content)


def test_a_member_without_a_name(tmp_path):
    with refused("download: .*damaged"):
        read_archive(tmp_path / "download", zip_of({"fer2013.csv": SMALL, "": b""}))


# CSV


@pytest.mark.parametrize("rows", [
    "0," * 2**21, '"\n",' * 2**20, "0,x,Training," + "1," * 2**20, "\n" * 2**21, "\r" * 2**21,
])
def test_a_row_without_end(tmp_path, rows):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines_of(count=2), rows]), newline="")
    with refused(r"a\.csv: after data row 2: expected a row of at most 524,288 characters"):
        fer2013.load(path)
    path.write_text(rows, newline="")
    with refused(r"a\.csv: after data row 0: expected a row of at most 524,288 characters"):
        fer2013.load(path)


# TOML, results and tables


@pytest.mark.parametrize(("text", "message"), [
    ("#" * (MOST_BYTES + 1), "of at most 65,536 bytes, got more"),
    (".".join("a" * 30_000) + " = 1", f"expected at most {MOST_DOTS} dots in a line, got 29999"),
    ('name = "m"\n[model]\nname = "paper"\n[data]\ntrain = 1000000000000\n',
     "data.train: expected at most 1000000, got 1000000000000"),
    ('name = "m"\n[model]\nname = "paper"\n[optimizer]\nlr = ' + "9" * 400, "Adam: lr must lie in"),
    ('name = "m"\n[model]\nlayers = [{type = "Conv2D", filters = 1, padding = 1000000}]',
     "layer 1: expected at most 268,435,456 numbers for one input"),
    ('name = "m"\n[model]\n"a\\nb" = 1', "model"),
])
def test_experiments_that_ask_for_too_much(tmp_path, text, message):
    (tmp_path / "a.toml").write_text(text)
    with refused(rf"a\.toml: .*{message}"):
        read_experiment(tmp_path / "a.toml")


@pytest.fixture
def run(tmp_path):
    return FabricatedRun(tmp_path / "run").folder


@pytest.mark.parametrize("name", ["results", "history", "batchnorm", "layers"])
def test_files_of_a_run_that_are_too_large(run, name):
    os.truncate(getattr(run, name), 2**40)
    with refused("of at most 16,777,216 bytes, got more"):
        getattr(run, f"read_{name}")()


def test_a_history_of_rows_that_are_longer_than_its_headings(run):
    heading, *rows = run.history.read_text().splitlines()
    run.history.write_text("\n".join([heading, *(f"{row},1" for row in rows)]))
    with refused("history.csv: expected a run's history, got a damaged file .longer rows"):
        run.read_history()


def test_foreign_names_of_columns_and_classes_stay_on_the_line(run):
    run.history.write_text('"a\nb"\n1\n')
    with refused(r"history.csv: expected a column 'epoch', got a\\nb"):
        run.read_history()
    results = json.loads(run.results.read_text())
    results["test"]["per_class"]["a\nb"] = 3
    run.results.write_text(json.dumps(results))
    with refused(r"results.json: test.per_class.a\\nb: expected an object"):
        run.read_results()


# Pictures


def png(width, height):
    """A PNG that declares this size and holds a few bytes."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    content += struct.pack(">I", zlib.crc32(chunk))
    data = b"IDAT" + zlib.compress(bytes(100))
    return content + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


@pytest.mark.parametrize("size", [(8193, 8192), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_declares_too_many_pixels(tmp_path, size):
    (tmp_path / "a.png").write_bytes(png(*size))
    with refused(r"a\.png: expected at most 67,108,864 pixels, got more"):
        read_grey(tmp_path / "a.png")


def test_a_picture_s_file_that_is_too_large(tmp_path):
    with (tmp_path / "a.png").open("wb") as stream:
        stream.truncate(2**40)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("minicnn.data.sources.images.MOST_BYTES", 2**20)
        with refused(r"a\.png: expected a picture of at most 1,048,576 bytes, got more"):
            read_grey(tmp_path / "a.png")


@pytest.mark.parametrize(("form", "words"), [
    ("eps", "PostScript: save it as JPEG or PNG"), ("pdf", "PDF: save it as JPEG or PNG"),
    ("ico", "ICO: save it as JPEG or PNG"), ("tga", "a file of no format known"),
    ("pcx", "a file of no format known"),
])
def test_formats_that_are_not_read(tmp_path, form, words):
    Image.new("RGB", (48, 48)).save(tmp_path / f"a.{form}")
    with refused(f"expected a picture, got {words}"):
        read_grey(tmp_path / f"a.{form}")


# Folders of pictures


@pytest.fixture
def faces(tmp_path):
    """A folder of faces, two an emotion."""
    for emotion in EMOTIONS:
        (tmp_path / "faces" / "train" / emotion).mkdir(parents=True)
        for number in range(2):
            path = tmp_path / "faces" / "train" / emotion / f"{number}.png"
            Image.new("L", (48, 48), number).save(path)
    return tmp_path / "faces"


def test_a_link_that_leads_out_of_the_folder(faces, tmp_path):
    Image.new("L", (48, 48), 99).save(tmp_path / "private.png")
    link = faces / "train" / "happy" / "2.png"
    link.symlink_to(tmp_path / "private.png")
    with refused(r"2\.png: expected a picture in .*faces, got a link that leads out"):
        fer2013.load(faces)
    link.unlink()
    link.symlink_to(faces / "train" / "happy" / "0.png")
    assert len(fer2013.load(faces).train)


@pytest.mark.parametrize("place", ["train", "train/happy"])
def test_a_folder_that_is_a_link_out(faces, tmp_path, place):
    (faces / place).rename(tmp_path / "elsewhere")
    (faces / place).symlink_to(tmp_path / "elsewhere")
    with refused(f"{place}: expected a picture in .*faces, got a link that leads out"):
        fer2013.load(faces)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_devices_and_circles_among_the_pictures(faces):
    odd = faces / "train" / "happy" / "9.png"
    os.mkfifo(odd)
    with refused(r"9\.png: expected a picture, but there is no such file"):
        fer2013.load(faces)
    for target in ("/dev/zero", odd):
        odd.unlink()
        odd.symlink_to(target)
        with refused(r"9\.png: expected a picture, but there is no such file"):
            fer2013.load(faces)


# Every reader, of nothing and of everything


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff" * 1000, b"\n" * 1000, b"[" * 10**5])
def test_every_reader_refuses_nonsense(tmp_path, name, content):
    outcome = READERS[name].outcome(content, tmp_path)
    empty = name in ("cache", "settings") or (name == "archive" and isinstance(outcome, bytes))
    assert empty or isinstance(outcome, InputError), outcome
