"""Atomic operations, against the same done one after the other in Python."""

from functools import reduce

import numpy as np
import pytest
from ptx_texts import kernel, place

from minicnn import ptx

KINDS = {
    name: np.dtype({"s": "i", "u": "u", "b": "u", "f": "f"}[name[0]] + str(int(name[1:]) // 8))
    for name in ("s32", "u32", "b32", "s64", "u64", "b64", "f32", "f64")
}

OPERATIONS = [
    *(f"add.{kind}" for kind in ("u32", "s32", "u64", "f32", "f64")),
    *(f"{name}.{kind}" for name in ("min", "max") for kind in ("s32", "u32", "s64", "u64")),
    *(f"{name}.{kind}" for name in ("and", "or", "xor") for kind in ("b32", "b64")),
    "inc.u32", "dec.u32",
]


def combined(name, old, value):
    """What the memory holds after one operation: the manual's formulas."""
    return {
        "add": lambda: old + value, "min": lambda: min(old, value), "max": lambda: max(old, value),
        "and": lambda: old & value, "or": lambda: old | value, "xor": lambda: old ^ value,
        "inc": lambda: 0 if old >= value else old + 1,
        "dec": lambda: value if old == 0 or old > value else old - 1,
    }[name]()


def values_of(name, dtype):
    if name in ("inc", "dec"):
        return np.full(96, 40, dtype)
    rng = np.random.default_rng(1)
    if dtype.kind == "f":
        return rng.integers(-1000, 1000, 96).astype(dtype)
    wild = rng.integers(0, 2**64, 96, np.uint64)
    return (wild >> np.uint64(64 - 8 * dtype.itemsize)).astype(f"u{dtype.itemsize}").view(dtype)


@pytest.mark.parametrize("word", ["atom", "red"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_all_threads_on_one_place(operation, word):
    name, kind = operation.split(".")
    dtype = KINDS[kind]
    register = {"f32": "%f1", "f64": "%fd1"}.get(kind, "%r9" if dtype.itemsize == 4 else "%rd9")
    target = "" if word == "red" else f"{register[:-1]}2, "
    seen = kind.replace("b", "u") if kind[0] == "b" else kind
    built = kernel(
        f"{place('%rd8', '%rd1', '%r3', dtype.itemsize)}\nld.global.{seen} {register}, [%rd8];\n"
        f"{word}.global.{operation} {target}[%rd0], {register};", arrays=2,
    )
    values = values_of(name, dtype)
    out = values[:1].copy()
    start = out[0]
    with np.errstate(over="ignore"):
        exact = reduce(lambda old, value: dtype.type(combined(name, old, value)), values, start)
    built.launch(3, 32, out, values)
    assert out[0] == exact


def test_what_each_thread_gets_is_what_was_there_before():
    built = kernel(
        "atom.global.inc.u32 %r9, [%rd0], 9;\n" + place("%rd8", "%rd1", "%r3", 4)
        + "\nst.global.u32 [%rd8], %r9;", arrays=2,
    )
    counter, seen = np.zeros(1, np.uint32), np.zeros(64, np.uint32)
    built.launch(2, 32, counter, seen)
    assert counter[0] == 64 % 10
    assert sorted(seen) == sorted(i % 10 for i in range(64))


@pytest.mark.parametrize("kind", ["b32", "b64"])
def test_exchange_and_compare_and_swap(kind):
    """A chain: each thread puts its number where it finds the one before."""
    size = KINDS[kind].itemsize
    r = "%r" if size == 4 else "%rd"
    number = "" if size == 4 else "cvt.u64.u32 %rd20, %r3;\n"
    own = "%r3" if size == 4 else "%rd20"
    built = kernel(
        f"{number}atom.global.exch.{kind} {r}21, [%rd0], {own};\n"
        f"{place('%rd8', '%rd1', '%r3', size)}\nst.global.u{8 * size} [%rd8], {r}21;\n"
        f"atom.global.cas.{kind} {r}22, [%rd0+{size}], 7, {own};", arrays=2,
    )
    places = np.array([1000, 7], KINDS[kind])
    seen = np.zeros(64, KINDS[kind])
    built.launch(2, 32, places, seen)
    assert sorted([*seen.tolist(), int(places[0])]) == sorted([1000, *range(64)])
    assert places[1] < 64


@pytest.mark.parametrize("guard", [5, 40])
def test_only_threads_that_take_part_count(guard):
    out = np.zeros(1, np.uint32)
    kernel(f"setp.lt.u32 %p1, %r0, {guard};\n@%p1 red.global.add.u32 [%rd0], 1;").launch(2, 64, out)
    assert out[0] == 2 * guard


@pytest.mark.parametrize("offset", [-4, 4])
def test_atomics_outside_an_array(offset):
    built = kernel(f"red.global.add.u32 [%rd0+{offset}], 1;")
    with pytest.raises(ptx.PTXFault, match="out of bounds"):
        built.launch(1, 32, np.zeros(1, np.uint32))


def test_atomics_on_misaligned_places_and_on_memory_that_nobody_wrote():
    with pytest.raises(ptx.PTXFault, match="misaligned"):
        kernel("red.global.add.u32 [%rd0+2], 1;").launch(1, 32, np.zeros(4, np.uint32))
    memory = ptx.Memory()
    fresh = memory.allocate(16)
    with pytest.raises(ptx.PTXFault, match="nobody wrote"):
        kernel("red.global.add.u32 [%rd0], 1;").launch(1, 32, fresh, memory=memory)


@pytest.mark.parametrize("other", ["ld.volatile.global.u32 %r9, [%rd0];",
                                   "ld.relaxed.gpu.global.u32 %r9, [%rd0];",
                                   "atom.global.add.u32 %r9, [%rd0], 0;"])
def test_strong_accesses_do_not_race_with_atomics(other):
    kernel(f"red.global.add.u32 [%rd0], 1;\n{other}").launch(2, 64, np.zeros(1, np.uint32))
