"""The kernel of convolution as a product with a matrix that is never built.

cols[(n, p, q), (i, j, c)] = x̄[n, p·down + i, q·across + j, c] has a row for each window on the
images and a column for each number of a window (`ops/cpu/conv2d_im2col.py` lays it out in slices).
Here a block fetches what it needs of cols straight from x, when it needs it. One kernel serves two
products, with what is fetched as A:

- cols @ matrix: a thread stays with its windows and walks along their numbers;
- colsᵀ @ matrix: a thread stays with its numbers of a window and walks along the windows.

The sum goes in chunks of `STEPS` steps. The next chunk is on its way from memory to registers while
the present one, in shared memory, is multiplied; shared memory holds two chunks, so that one
barrier a chunk is enough.
"""

import functools

from minicnn.ops.cuda.compile import Kernel, cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.implicit_plan import STEPS, TileOnChip
from minicnn.ops.cuda.register_tile import (
    Tile,
    bias_adder,
    clear,
    load_or_zeros,
    products,
    store_piece,
)

# -- places of cols -------------------------------------------------------------------------------
# A geometry is (height, width, channels, places down, places across, step down, step across, rows
# above, columns before, window width). Numbers wrap around at 2**32, so a pixel before the image is
# one far beyond its end, and one comparison tells whether it is inside.

NOWHERE = 1 << 31
"""A row of pixels that is in no image, and that a window's height does not bring back into one."""


@device_function
def window_of(m, geometry):
    """(n, p, q), the window of row m of cols."""
    down, across = geometry[3], geometry[4]
    q, row = uint32(m % across), uint32(m // across)
    return uint32(row // down), uint32(row % down), q


@device_function
def window_place(n, p, q, geometry):
    """First row and column of a window in the image, and the place in x of its first number."""
    height, width, channels = geometry[0], geometry[1], geometry[2]
    h = uint32(p * geometry[5] - geometry[7])
    w = uint32(q * geometry[6] - geometry[8])
    return h, w, uint32(((n * height + h) * width + w) * channels)


@device_function
def number_of(d, geometry):
    """(i, j, c), the number of a window in column d of cols."""
    channels, window_width = geometry[2], geometry[9]
    c, place = uint32(d % channels), uint32(d // channels)
    return uint32(place // window_width), uint32(place % window_width), c


@device_function
def number_place(i, j, c, geometry):
    """How far a number of a window is in x from the window's first."""
    return uint32((i * geometry[1] + j) * geometry[2] + c)


@device_function
def next_of(major, middle, minor, middle_base, base):
    """(major, middle, minor) `STEPS` further on, as a counter of three digits with a carry.

    The last digit goes up to `base`, the middle one up to `middle_base`. `STEPS` carries more than
    once where the last is short.
    """
    minor = uint32(minor + uint32(STEPS))
    while minor >= base:
        minor = uint32(minor - base)
        middle = uint32(middle + uint32(1))
        if middle == middle_base:
            middle = uint32(0)
            major = uint32(major + uint32(1))
    return major, middle, minor


# -- A: what is fetched of cols -------------------------------------------------------------------
# A thread's `pieces` lie in different windows or different steps. `walk` keeps three numbers for
# each piece and three for all: where the thread stays, and where it walks. `fetch_piece` moves one
# piece, or zeros: `load_or_zeros`, or another with the same arguments.


@functools.cache
def rows_of_cols(tile: Tile, piece: int, fetch_piece):
    """(begin, fetch, put_place, put, pieces) for cols @ matrix: a row of A is a window."""
    side = STEPS // piece  # threads side by side along a window
    at_once = tile.threads // side
    pieces = tile.block_rows // at_once
    step, own = tile.block_rows + tile.piece, 3 * pieces

    @device_function
    def begin(walk, thread, first_row, rows, first_step, geometry):
        for v in range(pieces):
            m = uint32(first_row + thread // uint32(side) + uint32(v * at_once))
            n, p, q = window_of(m, geometry)
            h, w, place = window_place(n, p, q, geometry)
            walk[3 * v], walk[3 * v + 1], walk[3 * v + 2] = h, w, place
            if m >= rows:
                walk[3 * v] = uint32(NOWHERE)
        d = uint32(first_step + thread % uint32(side) * uint32(piece))
        walk[own], walk[own + 1], walk[own + 2] = number_of(d, geometry)

    @device_function
    def fetch(x, staged, walk, thread, step, last, geometry):
        i, j, c = walk[own], walk[own + 1], walk[own + 2]
        further = number_place(i, j, c, geometry)
        there = uint32(step + thread % uint32(side) * uint32(piece)) < last
        for v in range(pieces):
            h, w = uint32(walk[3 * v] + i), uint32(walk[3 * v + 1] + j)
            inside = there and h < geometry[0] and w < geometry[1]
            fetch_piece(x, uint32(walk[3 * v + 2] + further), inside, staged, v * piece)
        i, j, c = next_of(i, j, c, geometry[9], geometry[2])
        walk[own], walk[own + 1], walk[own + 2] = i, j, c

    @device_function
    def put_place(thread):
        return uint32(thread % uint32(side) * uint32(piece * step) + thread // uint32(side))

    @device_function
    def put(shared, place, staged):
        for v in range(pieces):
            for e in range(piece):
                shared[place + uint32(e * step + v * at_once)] = staged[v * piece + e]

    return begin, fetch, put_place, put, pieces


@functools.cache
def columns_of_cols(tile: Tile, piece: int, fetch_piece):
    """(begin, fetch, put_place, put, pieces) for colsᵀ @ matrix: a row of A is a number."""
    side = tile.block_rows // piece  # threads side by side along a window
    at_once = tile.threads // side
    pieces = STEPS // at_once
    store = store_piece(piece)
    step, own = tile.block_rows + tile.piece, 3 * pieces

    @device_function
    def begin(walk, thread, first_row, rows, first_step, geometry):
        d = uint32(first_row + thread % uint32(side) * uint32(piece))
        i, j, c = number_of(d, geometry)
        walk[own], walk[own + 1], walk[own + 2] = i, j, number_place(i, j, c, geometry)
        if d >= rows:
            walk[own] = uint32(NOWHERE)
        for v in range(pieces):
            m = uint32(first_step + thread // uint32(side) + uint32(v * at_once))
            walk[3 * v], walk[3 * v + 1], walk[3 * v + 2] = window_of(m, geometry)

    @device_function
    def fetch(x, staged, walk, thread, step, last, geometry):
        for v in range(pieces):
            n, p, q = walk[3 * v], walk[3 * v + 1], walk[3 * v + 2]
            h, w, place = window_place(n, p, q, geometry)
            h, w = uint32(h + walk[own]), uint32(w + walk[own + 1])
            there = uint32(step + thread // uint32(side) + uint32(v * at_once)) < last
            inside = there and h < geometry[0] and w < geometry[1]
            fetch_piece(x, uint32(place + walk[own + 2]), inside, staged, v * piece)
            n, p, q = next_of(n, p, q, geometry[3], geometry[4])
            walk[3 * v], walk[3 * v + 1], walk[3 * v + 2] = n, p, q

    @device_function
    def put_place(thread):
        return uint32(thread // uint32(side) * uint32(step) + thread % uint32(side) * uint32(piece))

    @device_function
    def put(shared, place, staged):
        for v in range(pieces):
            store(shared, place + uint32(v * at_once * step), staged, v * piece)

    return begin, fetch, put_place, put, pieces


# -- B: what is fetched of the matrix -------------------------------------------------------------


@functools.cache
def rows_of_matrix(tile: Tile, piece: int, fetch_piece):
    """(fetch, put_place, put, pieces): a chunk's rows of a matrix (depth, columns)."""
    side = tile.block_columns // piece
    at_once = tile.threads // side
    pieces = STEPS // at_once
    store = store_piece(piece)
    step = tile.block_columns

    @device_function
    def fetch(matrix, staged, thread, step, last, first_column, columns):
        column = uint32(first_column + thread % uint32(side) * uint32(piece))
        for v in range(pieces):
            d = uint32(step + thread // uint32(side) + uint32(v * at_once))
            inside = d < last and column < columns
            fetch_piece(matrix, uint32(d * columns + column), inside, staged, v * piece)

    @device_function
    def put_place(thread):
        return uint32(thread // uint32(side) * uint32(step) + thread % uint32(side) * uint32(piece))

    @device_function
    def put(shared, place, staged):
        for v in range(pieces):
            store(shared, place + uint32(v * at_once * step), staged, v * piece)

    return fetch, put_place, put, pieces


# -- C: where the sums go -------------------------------------------------------------------------


@device_function
def row_of_c(m, steps, geometry):
    """Row m of the product in memory; where steps are 0, rows lie one behind the other."""
    if steps[2] == uint32(0):
        return m
    n, p, q = window_of(m, geometry)
    return uint32(n * steps[0] + p * steps[1] + q * steps[2])


@functools.cache
def results_of(tile: Tile, piece: int):
    """``store(c, sums, row, ...)``: a thread's sums are stored `piece` at a time."""
    rows, columns = tile.rows, tile.columns
    down_step, across_step = tile.piece * tile.down, tile.piece * tile.across
    side, store_numbers = tile.piece, store_piece(piece)

    @device_function
    def store(c, sums, row, row_count, column, column_count, steps, geometry):
        for i in range(rows):
            m = uint32(row + uint32(i // side * down_step + i % side))
            if m < row_count:
                m = row_of_c(m, steps, geometry)
                for j in range(0, columns, piece):
                    k = uint32(column + uint32(j // side * across_step + j % side))
                    if k < column_count:
                        store_numbers(c, uint32(m * column_count + k), sums, i * columns + j)

    return store


# -- the kernel -----------------------------------------------------------------------------------


@device_function
def share_of_block(whole, cut, piece_steps, depth):
    """The block's row of blocks, which piece of the sum it computes, its first step and its end."""
    block, z = uint32(cuda.blockIdx.x), uint32(0)
    if block < whole:
        return block, z, uint32(0), depth
    z = uint32(uint32(block - whole) // cut)
    first = uint32(z * piece_steps)
    return uint32(block - z * cut), z, first, min(depth, uint32(first + piece_steps))


SOURCES = {"cols": rows_of_cols, "colsᵀ": columns_of_cols}


@functools.cache
def product_kernel(source: str, chip: TileOnChip, x_piece: int, piece: int) -> Kernel:
    """The kernel of C = A B + bias, B a matrix.

    Parameters
    ----------
    source : {"cols", "colsᵀ"}
        What A is.
    chip : TileOnChip
    x_piece, piece : int
        Numbers that are moved at a time: of x, and of the matrix and C. A piece, or 1 where the
        channels, or the columns, do not divide by it.
    """
    tile = chip.tile
    begin, fetch_a, put_a_place, put_a, a_pieces = SOURCES[source](
        tile, x_piece, load_or_zeros(x_piece)
    )
    fetch_b, put_b_place, put_b, b_pieces = rows_of_matrix(tile, piece, load_or_zeros(piece))
    add_bias, store = bias_adder(tile, piece), results_of(tile, piece)
    a_step, b_step = tile.block_rows + tile.piece, tile.block_columns
    a_end = STEPS * a_step  # a chunk: columns of A, then rows of B
    half = 1 << (a_end + STEPS * b_step - 1).bit_length()
    add_products = products(tile, STEPS, a_step, b_step)
    walk_numbers, a_numbers, b_numbers = 3 * a_pieces + 3, a_pieces * x_piece, b_pieces * piece
    results, block_rows, block_columns = tile.results, tile.block_rows, tile.block_columns
    shared_numbers, threads_across, side = half + a_end + STEPS * b_step, tile.across, tile.piece

    @kernel(threads=tile.threads, blocks=chip.resident)
    def convolve(
        x, matrix, bias, has_bias, c, parts,  # arrays, and whether there is a bias
        rows, columns, depth,  # C (rows, columns) is a sum of so many products
        whole, cut, piece_steps,  # the plan
        height, width, channels, places_down, places_across, step_down, step_across,
        above, before, window_width,  # the geometry
        image_step, row_step, pixel_step,  # between rows of c, or 0: see `row_of_c`
    ):
        shared = cuda.shared.array(shared_numbers, x.dtype, alignment=16)
        sums = cuda.local.array(results, x.dtype)
        a_staged = cuda.local.array(a_numbers, x.dtype)
        b_staged = cuda.local.array(b_numbers, x.dtype)
        walk = cuda.local.array(walk_numbers, uint32)
        geometry = (
            height, width, channels, places_down, places_across, step_down, step_across,
            above, before, window_width,
        )
        thread = uint32(cuda.threadIdx.x)

        block, z, step, last = share_of_block(whole, cut, piece_steps, depth)
        first_row = uint32(block * uint32(block_rows))
        first_column = uint32(cuda.blockIdx.y * uint32(block_columns))

        # places in shared memory; the other half is at place ^ half
        a_put, b_put = put_a_place(thread), uint32(uint32(a_end) + put_b_place(thread))
        a_at = uint32(thread // uint32(threads_across) * uint32(side))
        b_at = uint32(uint32(a_end) + thread % uint32(threads_across) * uint32(side))

        begin(walk, thread, first_row, rows, step, geometry)
        fetch_a(x, a_staged, walk, thread, step, last, geometry)
        fetch_b(matrix, b_staged, thread, step, last, first_column, columns)
        clear(sums)
        while step < last:
            put_a(shared, a_put, a_staged)
            put_b(shared, b_put, b_staged)
            cuda.syncthreads()
            step = uint32(step + uint32(STEPS))
            fetch_a(x, a_staged, walk, thread, step, last, geometry)
            fetch_b(matrix, b_staged, thread, step, last, first_column, columns)
            add_products(shared, a_at, shared, b_at, sums)
            a_put, b_put = uint32(a_put ^ uint32(half)), uint32(b_put ^ uint32(half))
            a_at, b_at = uint32(a_at ^ uint32(half)), uint32(b_at ^ uint32(half))

        # the thread's part of C, as its places in shared memory say: that saves registers
        row = uint32(first_row + (a_at & uint32(half - 1)))
        column = uint32(first_column + (b_at & uint32(half - 1)) - uint32(a_end))
        if (has_bias != uint32(0)) & (z == uint32(0)):
            add_bias(sums, bias, column, columns)
        if block >= whole:
            row = uint32(row - whole * uint32(block_rows))
            rows = uint32(rows - whole * uint32(block_rows))
            c = parts + uint64(z) * uint64(uint32(rows * columns))
        store(
            c, sums, row, rows, column, columns, (image_step, row_step, pixel_step), geometry
        )

    return convolve
