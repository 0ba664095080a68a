"""The matrix product of this backend: many of one shape at a time, in one launch.

C (rows, columns) = A (rows, depth) B (depth, columns). A block of threads computes a part of C. It
brings a few columns of A and rows of B into shared memory, where all its threads multiply them,
each into a tile of C that it has in its registers (`register_tile`); then the next few.

Where C is small and the sum is deep, several blocks share a sum. Each leaves a part of C, and a
second kernel adds the parts up in their order: two runs give the same bits.
"""

from minicnn.ops.cuda.array import DeviceArray, empty
from minicnn.ops.cuda.device import device
from minicnn.ops.cuda.gemm_kernel import product_kernel
from minicnn.ops.cuda.gemm_plan import Plan, plan, steps_of
from minicnn.ops.cuda.sums import sum_parts

MOST = 2**31
"""Rows or columns of a matrix: with those of a tile beyond them they are numbers of 32 bits."""


def multiply(
    a: DeviceArray, b: DeviceArray, layout: str = "NN", bias: DeviceArray | None = None,
    *, split: bool = False,
) -> DeviceArray:
    """C = A B + bias, for one pair of matrices or for many.

    Parameters
    ----------
    a, b : DeviceArray
        With two axes, or with three: so many matrices.
    layout : {"NN", "TN", "NT"}, default "NN"
        How A and B lie in memory. N: A is (rows, depth), B is (depth, columns); T: transposed.
    bias : DeviceArray (columns,), optional
    split : bool, default False
        Whether blocks may share a sum. Then the last digits depend on the number of rows.

    Returns
    -------
    DeviceArray (rows, columns) or (matrices, rows, columns)
    """
    batch, rows, columns, depth = sizes(a, b, layout)
    how = plan(batch, rows, columns, depth, a.dtype, device().multiprocessors, split=split)
    shape = *a.shape[:-2], rows, columns
    if how.splits == 1:
        c = empty(shape, a.dtype)
        multiply_into(c, 0, how, a, b, layout, bias)
        return c
    parts = empty((how.splits, *shape), a.dtype)
    multiply_into(parts, 0, how, a, b, layout, bias)
    return sum_parts(parts)


def multiply_into(
    parts: DeviceArray, first: int, how: Plan, a: DeviceArray, b: DeviceArray, layout: str,
    bias: DeviceArray | None = None,
) -> None:
    """Write parts that C is the sum of, from number `first` on; one launch.

    Parameters
    ----------
    parts : DeviceArray (any number of parts, ..., rows, columns)
    first : int
        The first of ``how.splits`` parts that are written.
    how : Plan
        For these rows and columns; its depth may be another.
    a, b, layout, bias
        As for `multiply`. The bias is in the first part.
    """
    batch, rows, columns, depth = sizes(a, b, layout)
    if max(rows, columns, depth) > MOST:
        raise OverflowError(
            f"multiply: expected matrices of at most {MOST:,} rows and columns, "
            f"got {rows:,} × {depth:,} times {depth:,} × {columns:,}"
        )
    contiguous = a.shape[-1], b.shape[-1], columns
    moved = how.tile.piece if all(length % how.tile.piece == 0 for length in contiguous) else 1
    product_kernel(how.tile, layout, moved)[how.blocks(batch)](
        a, b, parts if bias is None else bias, int(bias is not None), parts, first,
        batch, rows, columns, depth, how.down, how.across, steps_of(depth, how.splits),
    )


def sizes(a: DeviceArray, b: DeviceArray, layout: str) -> tuple[int, int, int, int]:
    """How many products there are, and their rows, columns and depth."""
    rows, depth = a.shape[-2:] if layout[0] == "N" else a.shape[:-3:-1]
    columns = b.shape[-1] if layout[1] == "N" else b.shape[-2]
    return a.size // (rows * depth), rows, columns, depth
