"""Matrix products as plain loops that the compiler turns into vector instructions.

Two serial kernels, each working on a tile of 4×4: sixteen multiply-adds for every eight numbers
loaded. `add_dots` runs along the axis that is summed over, its sixteen sums in registers, so it
wants a long sum; `add_outer_products` runs along the rows of the result, so it wants long rows.
Both add to what is there. Threads are the callers' business: each takes its own rows of C. Why
tiles: Goto and van de Geijn 2008, *Anatomy of high-performance matrix multiplication*.
"""

from typing import Any

from numba import njit

from minicnn.ops.cpu.blocks import SERIAL

FUSED: dict[str, Any] = {**SERIAL, "fastmath": {"contract"}}
"""Allow a·b + c to be one instruction. NaN and infinity behave as ever."""

REORDERED: dict[str, Any] = {**SERIAL, "fastmath": {"contract", "reassoc"}}
"""Allow another order of a sum too, the same in every run: each vector lane keeps its own part."""


@njit(**REORDERED)
def add_dots(a, b, c):
    """``C += A Bᵀ``: rows of a (M, K) dotted with rows of b (N, K), into c (M, N).

    Each four rows of b stay in the first cache while the rows of a pass by.
    """
    rows, columns = c.shape
    whole_rows, whole_columns = rows - rows % 4, columns - columns % 4
    zero = c.dtype.type(0)
    for n in range(0, whole_columns, 4):
        b0, b1, b2, b3 = b[n], b[n + 1], b[n + 2], b[n + 3]
        for m in range(0, whole_rows, 4):
            a0, a1, a2, a3 = a[m], a[m + 1], a[m + 2], a[m + 3]
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = zero
            for k in range(a.shape[1]):
                s00 += a0[k] * b0[k]
                s01 += a0[k] * b1[k]
                s02 += a0[k] * b2[k]
                s03 += a0[k] * b3[k]
                s10 += a1[k] * b0[k]
                s11 += a1[k] * b1[k]
                s12 += a1[k] * b2[k]
                s13 += a1[k] * b3[k]
                s20 += a2[k] * b0[k]
                s21 += a2[k] * b1[k]
                s22 += a2[k] * b2[k]
                s23 += a2[k] * b3[k]
                s30 += a3[k] * b0[k]
                s31 += a3[k] * b1[k]
                s32 += a3[k] * b2[k]
                s33 += a3[k] * b3[k]
            c[m, n] += s00
            c[m, n + 1] += s01
            c[m, n + 2] += s02
            c[m, n + 3] += s03
            c[m + 1, n] += s10
            c[m + 1, n + 1] += s11
            c[m + 1, n + 2] += s12
            c[m + 1, n + 3] += s13
            c[m + 2, n] += s20
            c[m + 2, n + 1] += s21
            c[m + 2, n + 2] += s22
            c[m + 2, n + 3] += s23
            c[m + 3, n] += s30
            c[m + 3, n + 1] += s31
            c[m + 3, n + 2] += s32
            c[m + 3, n + 3] += s33
    for m in range(rows):  # what no tile covered
        for n in range(whole_columns if m < whole_rows else 0, columns):
            total = zero
            for k in range(a.shape[1]):
                total += a[m, k] * b[n, k]
            c[m, n] += total


@njit(**FUSED)
def add_outer_products(a, b, c, start, stop):
    """``C += Aᵀ B``: a (K, M), b (K, N); of c (M, N) only the rows start to stop.

    Four rows of c gain four rows of b at a time, each row of b times its number out of a.
    """
    depth, columns = b.shape
    whole_stop, whole_depth = stop - (stop - start) % 4, depth - depth % 4
    for m in range(start, whole_stop, 4):
        c0, c1, c2, c3 = c[m], c[m + 1], c[m + 2], c[m + 3]
        for k in range(0, whole_depth, 4):
            a0, a1, a2, a3 = a[k], a[k + 1], a[k + 2], a[k + 3]
            a00, a01, a02, a03 = a0[m], a0[m + 1], a0[m + 2], a0[m + 3]
            a10, a11, a12, a13 = a1[m], a1[m + 1], a1[m + 2], a1[m + 3]
            a20, a21, a22, a23 = a2[m], a2[m + 1], a2[m + 2], a2[m + 3]
            a30, a31, a32, a33 = a3[m], a3[m + 1], a3[m + 2], a3[m + 3]
            b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
            for n in range(columns):
                c0[n] += a00 * b0[n] + a10 * b1[n] + a20 * b2[n] + a30 * b3[n]
                c1[n] += a01 * b0[n] + a11 * b1[n] + a21 * b2[n] + a31 * b3[n]
                c2[n] += a02 * b0[n] + a12 * b1[n] + a22 * b2[n] + a32 * b3[n]
                c3[n] += a03 * b0[n] + a13 * b1[n] + a23 * b2[n] + a33 * b3[n]
    for m in range(start, stop):  # what no tile covered
        row = c[m]
        for k in range(whole_depth if m < whole_stop else 0, depth):
            factor, source = a[k, m], b[k]
            for n in range(columns):
                row[n] += factor * source[n]
