"""A tile in registers: the product of what lies in shared memory, by any split of the work."""

import re

import numpy as np
import pytest

from minicnn.ops.cuda.array import asarray, empty
from minicnn.ops.cuda.compile import Kernel, cuda, kernel, link, uint32
from minicnn.ops.cuda.register_tile import Tile, clear, products, store_piece

STEPS = 8

TILES = {
    "8×16": (Tile(8, 16, 16, 16, 4), "f"),
    "4×4 of doubles": (Tile(4, 4, 16, 16, 2), "d"),
    "one warp, not square": (Tile(4, 8, 8, 4, 4), "f"),
}


def product_kernel(tile: Tile) -> Kernel:
    """results = aᵀ b by one block, each thread's tile stored as it is."""
    rows, columns, across, threads = tile.block_rows, tile.block_columns, tile.across, tile.threads
    results, piece, pieces = tile.results, tile.piece, tile.results // tile.piece
    a_numbers, b_numbers = STEPS * rows, STEPS * columns
    add_products = products(tile, STEPS, rows, columns)
    store = store_piece(piece)

    @kernel(threads=threads)
    def multiply(a, b, c):
        a_shared = cuda.shared.array(a_numbers, a.dtype, alignment=16)
        b_shared = cuda.shared.array(b_numbers, b.dtype, alignment=16)
        sums = cuda.local.array(results, a.dtype)
        thread = uint32(cuda.threadIdx.x)
        for v in range(a_numbers // threads):
            a_shared[thread + uint32(v * threads)] = a[thread + uint32(v * threads)]
        for v in range(b_numbers // threads):
            b_shared[thread + uint32(v * threads)] = b[thread + uint32(v * threads)]
        cuda.syncthreads()
        clear(sums)
        down = uint32(thread // uint32(across) * uint32(piece))
        right = uint32(thread % uint32(across) * uint32(piece))
        add_products(a_shared, down, b_shared, right, sums)
        for p in range(pieces):
            store(c, thread * uint32(results) + uint32(p * piece), sums, p * piece)

    return multiply


@pytest.mark.parametrize("name", TILES)
def test_a_block_multiplies_two_matrices(name: str) -> None:
    tile, kind = TILES[name]
    rng = np.random.default_rng(1)
    a = rng.standard_normal((STEPS, tile.block_rows)).astype(kind)
    b = rng.standard_normal((STEPS, tile.block_columns)).astype(kind)
    sums = empty((tile.down, tile.across, tile.rows, tile.columns), kind)
    product_kernel(tile)[1](asarray(a, kind), asarray(b, kind), sums)
    c = np.full((tile.block_rows, tile.block_columns), np.nan)
    down, across, i, j = np.indices(sums.shape)
    rows = np.vectorize(tile.row)(i) + tile.piece * down
    columns = np.vectorize(tile.column)(j) + tile.piece * across
    c[rows, columns] = np.asarray(sums)
    np.testing.assert_allclose(c, a.T @ b, rtol=0, atol=2e-5 if kind == "f" else 1e-13)


@pytest.mark.parametrize("name", TILES)
def test_a_tile_stays_in_registers_and_loads_16_bytes_at_a_time(name: str) -> None:
    tile, kind = TILES[name]
    text = product_kernel(tile).program(*[f"*{kind}"] * 3).text
    _, report = link(text, (9, 0))
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in report
    letter = {"f": "v4.f32", "d": "v2.f64"}[kind]
    wide = len(re.findall(rf"ld\.shared\.{letter}", text))
    assert wide == STEPS * (tile.rows + tile.columns) // tile.piece
    assert text.count("fma.rn") == STEPS * tile.results
