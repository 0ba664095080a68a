"""Launching kernels: arguments, chosen blocks, memory that lasts, and a first result."""

import numpy as np
import pytest

from minicnn import ptx

HEAD = ".version 8.0\n.target sm_80\n.address_size 64\n"

SCALE = HEAD + """
.visible .entry scale(.param .u64 x, .param .f32 factor, .param .u32 n)
{
    .reg .pred %p<2>;
    .reg .b32 %r<6>;
    .reg .f32 %f<3>;
    .reg .b64 %rd<4>;
    ld.param.u64 %rd1, [x];
    ld.param.f32 %f1, [factor];
    ld.param.u32 %r5, [n];
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ntid.x;
    mov.u32 %r3, %tid.x;
    mad.lo.s32 %r4, %r1, %r2, %r3;
    setp.ge.u32 %p1, %r4, %r5;
    @%p1 bra END;
    mul.wide.u32 %rd2, %r4, 4;
    add.s64 %rd3, %rd1, %rd2;
    ld.global.f32 %f2, [%rd3];
    mul.f32 %f2, %f2, %f1;
    st.global.f32 [%rd3], %f2;
END:
    ret;
}
"""


def test_an_array_is_changed_in_place() -> None:
    x = np.arange(100, dtype=np.float32)
    ptx.load(SCALE)["scale"].launch(4, 32, x, 3, 100)
    assert np.array_equal(x, 3 * np.arange(100, dtype=np.float32))


def test_only_chosen_blocks_run() -> None:
    x = np.ones(128, np.float32)
    run = ptx.load(SCALE).single().launch(4, 32, x, 3, 128, blocks=[1, 3])
    assert np.array_equal(x.reshape(4, 32)[:, 0], [1, 3, 1, 3]) and run.threads == 64


def test_memory_lasts_between_launches() -> None:
    kernel, memory = ptx.load(SCALE).single(), ptx.Memory()
    address = memory.allocate(400, "x")
    memory.write(address, np.ones(100, np.float32))
    for _ in range(3):
        kernel.launch(1, 128, address, 2.0, 100, memory=memory)
    assert np.array_equal(memory.read(address, 400).view(np.float32), np.full(100, 8.0))


def test_an_array_of_40_gigabytes() -> None:
    """Its last element, beyond 2³² bytes, is written by the grid's last block alone."""
    kernel, memory, n = ptx.load(SCALE).single(), ptx.Memory(), 2**32 - 32
    address = memory.allocate(10 * 2**32, "x")
    memory.write(address + 4 * (n - 32), np.ones(32, np.float32))
    kernel.launch(2**27 - 1, 32, address, 5, n, memory=memory, blocks=[2**27 - 2])
    assert memory.read(address + 4 * (n - 1), 4).view(np.float32) == 5


def test_an_access_beyond_the_end_names_the_array_and_the_byte() -> None:
    with pytest.raises(ptx.PTXFault, match=r"line 22: ld.global.f32 reads 4 bytes at byte 400 of "
                                           r"'argument 1' \(400 bytes\): out of bounds; thread "
                                           r"\(4, 0, 0\) of block \(3, 0, 0\)"):
        ptx.load(SCALE)["scale"].launch(4, 32, np.ones(100, np.float32), 3, 101)


def test_memory_that_nobody_wrote_is_noticed() -> None:
    memory = ptx.Memory()
    address = memory.allocate(400, "y")
    with pytest.raises(ptx.PTXFault, match="byte 0 of 'y'.*nobody wrote"):
        ptx.load(SCALE)["scale"].launch(1, 32, address, 3, 32, memory=memory)


@pytest.mark.parametrize(("arguments", "message"), [
    ((1, 2), "has 3 parameters"),
    ((np.ones(4, np.float32), 1, 2**32), "does not fit"),
    ((np.ones(4, np.float32), 1e39, 4), "does not fit"),
    ((np.ones(4, np.float32), 1, 4.5), "whole number"),
    ((np.ones((4, 4), np.float32)[:, 1], 1, 4), "C-contiguous"),
])
def test_arguments_that_do_not_fit(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ptx.PTXError, match=message):
        ptx.load(SCALE)["scale"].launch(1, 32, *arguments)


def test_what_it_cost() -> None:
    run = ptx.load(SCALE)["scale"].launch(1, 64, np.ones(64, np.float32), 3, 64)
    assert run.counts["ld.global"] == 64 and run.instructions_per_thread == 15
    load, store = run.requests
    assert (load.warps, load.cost, load.least, load.moved) == (2, 8, 8, 256)
    assert store.write and not load.write
    assert "ld.global.f32" in run.report()
