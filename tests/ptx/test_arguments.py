"""What a launch is given: arrays, numbers, grids and blocks, of every wrong kind too."""

import numpy as np
import pytest
from centre_rows import TEXT, THREADS, case, right
from ptx_texts import entry, kernel

from minicnn import ptx


def test_too_few_and_too_many_arguments():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case()
    for arguments in [(), (x,), (x, y), (x, y, 200, 1), (x, y, 200, x)]:
        with pytest.raises(ptx.PTXError) as caught:
            built.launch(3, THREADS, *arguments)
        assert "3" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["200", None, [1, 2], {}, object(), 2**32, -(2**31) - 1, 1.5, float("nan"), 1j,
              np.array("x"), np.array([object()])],
    ids=lambda value: type(value).__name__,  # not its address, which differs between processes
)
def test_arguments_that_no_kernel_can_take(value):
    x, y = case()
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        ptx.load(TEXT)["centre_rows"].launch(3, THREADS, x, y, value)
    assert "\n" not in str(caught.value)


def test_arrays_that_do_not_lie_in_one_piece():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case(3, 200)
    for odd in (x[:, ::2], x.T, x[::-1], np.asfortranarray(x)):
        with pytest.raises(ptx.PTXError, match="contiguous"):
            built.launch(3, THREADS, odd, y, 200)


def test_arrays_of_the_other_byte_order():
    x, y = case()
    with pytest.raises(ptx.PTXError) as caught:
        ptx.load(TEXT)["centre_rows"].launch(3, THREADS, x.astype(">f4"), y, 200)
    assert "\n" not in str(caught.value)


def test_an_array_that_comes_twice_is_one_array():
    x, _ = case()
    y = x.copy()
    ptx.load(TEXT)["centre_rows"].launch(3, THREADS, y, y, 200)
    assert right(x, y)


def test_views_that_overlap_are_refused_and_others_of_one_array_are_not():
    built = kernel("st.global.u32 [%rd0], %r1;\nst.global.u32 [%rd1], %r2;", arrays=2)
    whole = np.full(64, 9, np.uint32)
    with pytest.raises(ptx.PTXError, match="share memory"):
        built.launch(1, 1, whole[:40], whole[30:])
    built.launch(1, 1, whole[:32], whole[32:])
    assert (whole[0], whole[32], whole[1]) == (0, 1, 9)


def test_a_structure_is_given_as_its_bytes():
    text = entry(
        ".reg .b64 %rd<3>;\n.reg .b32 %r<3>;\nld.param.u64 %rd1, [p0];\n"
        "ld.param.u32 %r1, [p1+4];\nld.param.v2.u32 {%r1, %r2}, [p1+8];\n"
        "st.global.v2.u32 [%rd1], {%r2, %r1};\nld.param.u32 %r1, [p1+4];\n"
        "st.global.u32 [%rd1+8], %r1;\nret;", "u64",
    ).replace(".param .u64 p0)", ".param .u64 p0, .param .align 8 .b8 p1[16])")
    built = ptx.load(text)["kernel"]
    out = np.zeros(4, np.uint32)
    built.launch(1, 1, out, np.arange(10, 14, dtype=np.uint32).tobytes())
    assert out.tolist() == [13, 12, 11, 0]
    for wrong in (b"123", 5):
        with pytest.raises(ptx.PTXError):
            built.launch(1, 1, out, wrong)


def test_a_grid_that_would_never_end_is_refused_unless_blocks_are_chosen():
    built = kernel("st.global.u32 [%rd0], %r1;")
    out = np.zeros(1, np.uint32)
    with pytest.raises(ptx.PTXError, match="blocks") as caught:
        built.launch((2**31 - 1, 65535, 65535), 32, out)
    assert "\n" not in str(caught.value)
    built.launch((2**31 - 1, 65535, 65535), 1, out, blocks=[2**31 - 2])
    assert out[0] == 2**31 - 2


def test_an_array_in_the_place_of_a_number_and_the_other_way_round():
    built = ptx.load(TEXT)["centre_rows"]
    x, y = case()
    with pytest.raises(ptx.PTXError):
        built.launch(3, THREADS, x, y, x)
    with pytest.raises(ptx.PTXError):
        built.launch(3, THREADS, 5, y, 200)      # the address 5 belongs to nobody


@pytest.mark.parametrize("grid", [0, -1, (1, 0), (1, 1, 1, 1), 1.5, "3", None, 2**31, (1, 2**16)])
def test_grids_that_there_are_not(grid):
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        kernel("", arrays=0).launch(grid, 32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("block", [0, -32, 1025, (32, 33), (1, 1, 65), 1.5, None, (8, 8, 8, 8)])
def test_blocks_that_there_are_not(block):
    with pytest.raises((ptx.PTXError, TypeError)) as caught:
        kernel("", arrays=0).launch(1, block)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shared", [-1, 2**20, 2**40, 1.5])
def test_shared_memory_that_no_chip_has(shared):
    built = kernel("", arrays=0, before=".extern .shared .align 16 .b8 buffer[];")
    with pytest.raises((ptx.PTXError, TypeError)):
        built.launch(1, 32, shared=shared)


def test_a_block_larger_than_the_kernel_allows():
    text = entry("ret;").replace(")\n{", ")\n.maxntid 64, 1, 1\n{")
    ptx.load(text)["kernel"].launch(1, 64)
    with pytest.raises(ptx.PTXError, match="64"):
        ptx.load(text)["kernel"].launch(1, 65)


def test_a_kernel_that_is_not_there():
    with pytest.raises(KeyError):
        ptx.load(TEXT)["other"]


@pytest.mark.parametrize(
    "kind", ["s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64"]
)
def test_scalars_of_every_kind_arrive(kind):
    dtype = np.dtype({"s": "i", "u": "u", "f": "f"}[kind[0]] + str(int(kind[1:]) // 8))
    register = {"s8": "%h1", "u8": "%h1", "s16": "%h1", "u16": "%h1", "f32": "%f1", "f64": "%fd1"}
    name = register.get(kind, "%r9" if dtype.itemsize == 4 else "%rd9")
    built = kernel(f"ld.param.{kind} {name}, [p1];\nst.global.{kind} [%rd0], {name};", 1, kind)
    values = [1.5, -0.0, 1e30] if kind[0] == "f" else [np.iinfo(dtype).min, 77, np.iinfo(dtype).max]
    for value in values:
        for given_as in (dtype.type(value), value):
            out = np.zeros(1, dtype)
            built.launch(1, 1, out, given_as)
            assert out[0] == dtype.type(value)
