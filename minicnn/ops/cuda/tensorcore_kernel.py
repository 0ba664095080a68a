"""The kernel of convolution as a product, on tensor cores: a warp multiplies what a thread did.

It computes the products of `implicit_kernel`, in TF32: factors are rounded to 10 bits of fraction,
sums are float32. What differs from there:

- 32 threads multiply 16×8 numbers of A by 8×8 of B in one instruction. Each holds a *fragment* of
  both; `intrinsics` says which. So lines in shared memory lie as far apart as it takes that the
  threads of a warp never meet in a bank.
- A chunk does not pass through registers on its way. It is copied to shared memory asynchronously,
  so that `STAGES` - 1 chunks can be under way while one is multiplied.
"""

import functools
from dataclasses import dataclass

import numpy as np

from minicnn.ops.cuda.compile import Kernel, cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.implicit_kernel import (
    SOURCES,
    row_of_c,
    rows_of_matrix,
    share_of_block,
)
from minicnn.ops.cuda.implicit_plan import STEPS, TileOnChip
from minicnn.ops.cuda.intrinsics import (
    commit_copies,
    copy_async,
    multiply_fragments,
    round_to_tf32,
    store2,
    wait_for_copies,
)
from minicnn.ops.cuda.register_tile import Tile, clear, load_or_zeros

# The threads of a warp lie 8 down and 4 across: a thread has 2 of every 16 rows, 2 of every 8
# columns. Rates are guesses: what the loads of fragments from shared memory let through, halved.
TILES: dict[int, tuple[TileOnChip, ...]] = {
    4: (
        TileOnChip(Tile(8, 16, 16, 8, 2), 2, 512),
        TileOnChip(Tile(8, 8, 16, 8, 2), 3, 400),
    ),
}
"""By the bytes of a number: 128 rows of C by 128 or 64 columns, by 4 warps two by two."""

STAGES = 4
"""Chunks in shared memory, one behind the other in a ring."""

PIECE = 4
"""Numbers in 16 bytes, which are copied at a time."""


@dataclass(frozen=True)
class Lines:
    """How a chunk lies in shared memory.

    Attributes
    ----------
    count : int
    apart : int
        How far one line is from the next, in numbers. A warp reads 4 steps of 8 rows, or columns,
        at a time. Lines of 8 steps are 12 apart, lines of rows or columns 8 modulo 32: either way
        the 32 numbers lie in 32 banks.
    """

    count: int
    apart: int

    @property
    def size(self) -> int:
        """In numbers."""
        return self.count * self.apart


def lines_of_a(source: str, tile: Tile) -> Lines:
    """A line for each window, or, transposed, for each step."""
    if source == "cols":
        return Lines(tile.block_rows, STEPS + 4)
    return Lines(STEPS, tile.block_rows + 8)


def lines_of_b(tile: Tile) -> Lines:
    """A line for each step."""
    return Lines(STEPS, tile.block_columns + 8)


# -- copies ---------------------------------------------------------------------------------------


@functools.cache
def _copy_piece(apart: int):
    """Begin to copy a piece of x, or zeros; a thread's next piece is put `apart` further on."""

    @device_function
    def copy_piece(x, place, inside, target, at):
        shared, first = target
        there = uint32(place) if inside else uint32(0)
        nbytes = np.int32(16) if inside else np.int32(0)
        copy_async(shared, uint32(first + uint32(at // PIECE * apart)), x, there, nbytes)

    return copy_piece


@functools.cache
def _copies_of_a(source: str, tile: Tile):
    """(begin, copy, put_place, number_of_thread) of A, as in `implicit_kernel`."""
    lines = lines_of_a(source, tile)
    side = (STEPS if source == "cols" else tile.block_rows) // PIECE  # threads side by side
    copy_piece = _copy_piece(tile.threads // side * lines.apart)
    begin, copy = SOURCES[source](tile, PIECE, copy_piece)[:2]
    number = _across_lines if source == "cols" else _along_lines
    return begin, copy, _put_place(side, lines.apart), number


@functools.cache
def _copies_of_b(tile: Tile):
    """(copy, put_place) of B."""
    apart, side = lines_of_b(tile).apart, tile.block_columns // PIECE
    copy = rows_of_matrix(tile, PIECE, _copy_piece(tile.threads // side * apart))[0]
    return copy, _put_place(side, apart)


@functools.cache
def _put_place(side: int, apart: int):
    """Where a thread puts its first piece; `side` threads share a line."""

    @device_function
    def put_place(thread):
        return uint32(thread // uint32(side) * uint32(apart) + thread % uint32(side) * PIECE)

    return put_place


@device_function
def _along_lines(thread):
    return thread


@device_function
def _across_lines(thread):
    """8 neighbouring threads, which copy together, take 8 lines of two pieces: 32 banks."""
    lane = uint32(thread % uint32(32))
    return uint32(thread - lane + lane % uint32(16) * uint32(2) + lane // uint32(16))


# -- products -------------------------------------------------------------------------------------


@functools.cache
def _products(tile: Tile, a_row: int, a_step: int, b_step: int):
    """sums += a chunk of A times a chunk of B: sums[band, strip, half, pair] of a thread.

    A warp's part of C consists of bands of 16 rows and strips of 8 columns; a row, and a step, of A
    are `a_row` and `a_step` apart, a step of B `b_step`.
    """
    bands, strips = tile.rows // 2, tile.columns // 2
    a_numbers, b_numbers = 4 * bands, 2 * strips

    @device_function
    def add_products(shared, a_at, b_at, sums):
        a = cuda.local.array(a_numbers, uint32)
        b = cuda.local.array(b_numbers, uint32)
        for band in range(bands):
            for e in range(4):
                further = uint32((16 * band + e % 2 * 8) * a_row + e // 2 * 4 * a_step)
                a[4 * band + e] = round_to_tf32(shared[a_at + further])
        for strip in range(strips):
            for e in range(2):
                further = uint32(8 * strip + e * 4 * b_step)
                b[2 * strip + e] = round_to_tf32(shared[b_at + further])
        for band in range(bands):
            for strip in range(strips):
                i, k, s = 4 * band, 2 * strip, 4 * (band * strips + strip)
                sums[s], sums[s + 1], sums[s + 2], sums[s + 3] = multiply_fragments(
                    a[i], a[i + 1], a[i + 2], a[i + 3], b[k], b[k + 1],
                    sums[s], sums[s + 1], sums[s + 2], sums[s + 3],
                )

    return add_products


# -- C: where the sums go -------------------------------------------------------------------------


# Both ends of the sums halve themselves: straight code, as in `register_tile.products`.


@functools.cache
def _begin(tile: Tile):
    """The device function that begins a thread's sums with the bias of their columns."""
    bands, strips = tile.rows // 2, tile.columns // 2
    numbers, begin_bands = 2 * strips, _begin_bands(bands, strips)
    load_pair = load_or_zeros(2)

    @device_function
    def begin(sums, bias, column, column_count):
        biases = cuda.local.array(numbers, bias.dtype)
        for strip in range(strips):
            k = uint32(column + uint32(8 * strip))
            load_pair(bias, k, k < column_count, biases, 2 * strip)
        begin_bands(sums, 0, biases)

    return begin


@functools.cache
def _begin_bands(bands: int, strips: int):
    """The device function for so many bands, from sums[at] on."""
    if bands == 1:
        @device_function
        def begin_band(sums, at, biases):
            for strip in range(strips):
                s = at + 4 * strip
                sums[s], sums[s + 1] = biases[2 * strip], biases[2 * strip + 1]
                sums[s + 2], sums[s + 3] = biases[2 * strip], biases[2 * strip + 1]

        return begin_band

    half, further = _begin_bands(bands // 2, strips), 2 * bands * strips

    @device_function
    def begin(sums, at, biases):
        half(sums, at, biases)
        half(sums, at + further, biases)

    return begin


@functools.cache
def _store(bands: int, strips: int):
    """The device function that stores so many bands; 4 threads store 8 neighbours, a sector."""
    if bands == 1:
        @device_function
        def store_band(c, sums, at, row, row_count, column, column_count, steps, geometry):
            for half in range(2):
                m = uint32(row + uint32(8 * half))
                if m < row_count:
                    m = row_of_c(m, steps, geometry)
                    for strip in range(strips):
                        k = uint32(column + uint32(8 * strip))
                        s = at + 4 * strip + 2 * half
                        if k < column_count:
                            store2(c, uint32(m * column_count + k), sums[s], sums[s + 1])

        return store_band

    half, further, rows_further = _store(bands // 2, strips), 2 * bands * strips, 8 * bands

    @device_function
    def store(c, sums, at, row, row_count, column, column_count, steps, geometry):
        half(c, sums, at, row, row_count, column, column_count, steps, geometry)
        half(
            c, sums, at + further, uint32(row + uint32(rows_further)), row_count,
            column, column_count, steps, geometry,
        )

    return store


# -- the kernel -----------------------------------------------------------------------------------


@functools.cache
def product_kernel(source: str, chip: TileOnChip) -> Kernel:
    """The kernel of C = A B + bias: `implicit_kernel.product_kernel` in TF32, of float32.

    The channels, and the columns of B, must divide by 4.
    """
    tile = chip.tile
    a_lines, b_lines = lines_of_a(source, tile), lines_of_b(tile)
    a_row, a_step = (a_lines.apart, 1) if source == "cols" else (1, a_lines.apart)
    b_step, a_end, stage_size = b_lines.apart, a_lines.size, a_lines.size + b_lines.size
    begin, copy_a, put_a_place, copying = _copies_of_a(source, tile)
    copy_b, put_b_place = _copies_of_b(tile)
    add_products = _products(tile, a_row, a_step, b_step)
    bands, strips = tile.rows // 2, tile.columns // 2
    begin_sums, store = _begin(tile), _store(bands, strips)
    a_pieces = tile.block_rows * STEPS // PIECE // tile.threads
    walk_numbers, results = 3 * a_pieces + 3, tile.results
    block_rows, block_columns = tile.block_rows, tile.block_columns
    warp_rows, warp_columns, warps_across = tile.rows * 8, tile.columns * 4, tile.across // 4
    ahead, last_stage, shared_numbers = STAGES - 1, (STAGES - 1) * stage_size, STAGES * stage_size

    @kernel(threads=tile.threads, blocks=chip.resident)
    def convolve_tf32(
        x, matrix, bias, has_bias, c, parts,  # arrays, and whether there is a bias
        rows, columns, depth,  # C (rows, columns) is a sum of so many products
        whole, cut, piece_steps,  # the plan
        height, width, channels, places_down, places_across, step_down, step_across,
        above, before, window_width,  # the geometry
        image_step, row_step, pixel_step,  # between rows of c, or 0: see `row_of_c`
    ):
        shared = cuda.shared.array(shared_numbers, x.dtype, alignment=16)
        sums = cuda.local.array(results, x.dtype)
        walk = cuda.local.array(walk_numbers, uint32)
        geometry = (
            height, width, channels, places_down, places_across, step_down, step_across,
            above, before, window_width,
        )
        thread = uint32(cuda.threadIdx.x)
        warp, lane = uint32(thread // uint32(32)), uint32(thread % uint32(32))
        g, t = uint32(lane // uint32(4)), uint32(lane % uint32(4))  # as in `intrinsics`
        copier = copying(thread)

        block, z, step, last = share_of_block(whole, cut, piece_steps, depth)
        first_row = uint32(block * uint32(block_rows))
        first_column = uint32(cuda.blockIdx.y * uint32(block_columns))

        # the warp's part of the block's; places in shared memory, in a stage
        down = uint32(warp // uint32(warps_across) * uint32(warp_rows))
        right = uint32(warp % uint32(warps_across) * uint32(warp_columns))
        a_put, b_put = put_a_place(copier), uint32(uint32(a_end) + put_b_place(thread))
        a_at = uint32((down + g) * uint32(a_row) + t * uint32(a_step))
        b_at = uint32(uint32(a_end) + t * uint32(b_step) + right + g)

        # the first chunks are under way
        begin(walk, copier, first_row, rows, step, geometry)
        copied = step  # the next step to be copied, far ahead of the one that is multiplied
        for stage in range(ahead):
            target = uint32(stage * stage_size)
            copy_a(x, (shared, uint32(target + a_put)), walk, copier, copied, last, geometry)
            copy_b(matrix, (shared, uint32(target + b_put)), thread, copied, last, first_column,
                   columns)
            commit_copies()
            copied = uint32(copied + uint32(STEPS))
        if (has_bias != uint32(0)) & (z == uint32(0)):
            begin_sums(sums, bias, uint32(first_column + right + t * uint32(2)), columns)
        else:
            clear(sums)

        now, free = uint32(0), uint32(last_stage)  # the stages to multiply, and to copy into
        while step < last:
            wait_for_copies(2)  # STAGES - 2: the thread's copies of the oldest chunk are there
            cuda.syncthreads()  # those of all threads are; all are done with the chunk before
            copy_a(x, (shared, uint32(free + a_put)), walk, copier, copied, last, geometry)
            copy_b(matrix, (shared, uint32(free + b_put)), thread, copied, last, first_column,
                   columns)
            commit_copies()
            add_products(shared, uint32(now + a_at), uint32(now + b_at), sums)
            free = now
            now = uint32(now + uint32(stage_size)) if now < uint32(last_stage) else uint32(0)
            step = uint32(step + uint32(STEPS))
            copied = uint32(copied + uint32(STEPS))

        row, column = uint32(first_row + down + g), uint32(first_column + right + t * uint32(2))
        if block >= whole:
            row = uint32(row - whole * uint32(block_rows))
            rows = uint32(rows - whole * uint32(block_rows))
            c = parts + uint64(z) * uint64(uint32(rows * columns))
        store(
            c, sums, 0, row, rows, column, columns, (image_step, row_step, pixel_step), geometry
        )

    return convolve_tf32
