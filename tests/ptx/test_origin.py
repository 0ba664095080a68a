"""Lines of PTX are named as their author knows them."""

import numpy as np
import pytest

from minicnn import ptx
from minicnn.ptx.origin import Origin
from minicnn.ptx.requirement import installed

TEXT = """.version 9.0
.entry k()
{
    .loc 1 7 0
    add.u32 %r1, %r1, 1;
    add.u32 %r1, %r1, 1;
    .loc 2 9 5
    add.u32 %r1, %r1, 1;
    .loc 1 0 0
    ret;
}
.file 1 "/home/somebody/kernels.py"
.file 2 "other.py"
"""


def test_a_line_comes_from_the_last_place_above_it() -> None:
    origin = Origin(TEXT)
    assert [origin.of(line) for line in (1, 3, 5, 6, 8, 10)] == [
        "", "", "kernels.py:7", "kernels.py:7", "other.py:9", ""]
    assert origin.named(6) == "line 6 (kernels.py:7)"
    assert origin.named(10) == "line 10"


def test_a_text_without_places_comes_from_nowhere() -> None:
    assert Origin(TEXT.replace(".loc", ".noc")).named(6) == "line 6"


@pytest.mark.cuda
@pytest.mark.skipif(not installed(), reason="needs numba-cuda")
def test_a_fault_and_a_report_name_the_line_of_the_python_file() -> None:
    from minicnn.ptx.compiler import cuda

    @ptx.kernel
    def reversed_(x, y):  # type: ignore[no-untyped-def]
        shared = cuda.shared.array(64, np.float32)
        i = cuda.threadIdx.x
        shared[i] = x[i]
        y[i] = shared[63 - i]  # a barrier is missing

    first = reversed_.__wrapped__.__code__.co_firstlineno
    x = np.arange(64, dtype=np.float32)
    with pytest.raises(ptx.PTXFault, match=rf"line \d+ \(test_origin.py:{first + 5}\): ld.shared"):
        reversed_[1, 64](x, np.empty_like(x))

    @ptx.kernel
    def doubled(x, y):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        y[i] = 2 * x[i]

    first = doubled.__wrapped__.__code__.co_firstlineno
    report = doubled[1, 32](x, x.copy()).report()
    rows = [line for line in report.split("\n") if "global.f32" in line]
    assert [row.split()[-1] for row in rows] == 2 * [f"test_origin.py:{first + 3}"]
    with pytest.raises(ptx.PTXFault, match=r"at byte 64 of 'y' \(64 bytes\): out of bounds"):
        doubled[1, 32](x, np.empty(16, np.float32))
