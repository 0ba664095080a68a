"""The kernel of the matrix product: many products of one shape, or parts of their sums.

A block goes through its sum in chunks of `STEPS` steps. The next chunk is on its way from memory to
registers while the present one, in shared memory, is multiplied; shared memory holds two chunks, so
that one barrier a chunk is enough.
"""

import functools

from minicnn.ops.cuda.compile import Kernel, cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.gemm_plan import STEPS
from minicnn.ops.cuda.register_tile import (
    Tile,
    bias_adder,
    clear,
    load_or_zeros,
    products,
    store_piece,
)

# -- from memory to shared memory -----------------------------------------------------------------


@functools.cache
def carrier(length: int, tile: Tile, moved: int, along_sum: bool):
    """(place, begin, limit, fetch, put, pitch, count): how a block's threads carry chunks.

    A chunk has `length` *lines*, rows of A or columns of B, and `STEPS` steps. In memory the steps
    of a line are neighbours if `along_sum`, else the lines of a step are. In shared memory it is
    always the lines; from a step to the next it is `pitch` numbers. A thread carries `count`
    numbers, `moved` neighbours of them at a time.
    """
    pitch = length + tile.piece  # so that threads side by side write to different banks
    side = (STEPS if along_sum else length) // moved  # threads side by side in memory
    apart = tile.threads // side  # from one turn of a thread to the next
    turns = length * STEPS // moved // tile.threads
    one_line = turns == 1 or not along_sum  # of a thread: then its limit says all
    shared_apart = apart if along_sum else apart * pitch
    load, store = load_or_zeros(moved), store_piece(moved)

    @device_function
    def place(thread):
        """The line and the step where a thread's first numbers begin."""
        near = uint32(uint32(thread % uint32(side)) * uint32(moved))
        far = uint32(thread // uint32(side))
        if along_sum:
            return far, near
        return near, far

    @device_function
    def begin(matrix, line, step, lines, steps):
        """The pointer to a number."""
        if along_sum:
            return matrix + (uint64(line) * uint64(steps) + uint64(step))
        return matrix + (uint64(step) * uint64(lines) + uint64(line))

    @device_function
    def limit(line, lines, offset, last):
        """This thread fetches of chunks that begin below this step; `offset` is its place there."""
        if not one_line or line < lines:
            return uint32(max(last, offset) - offset)
        return uint32(0)

    @device_function
    def fetch(numbers, pointer, line, lines, steps, step, step_limit):
        """Memory to registers, zeros beyond the matrix; the pointer for the next chunk."""
        stride = uint64(steps if along_sum else lines)
        for turn in range(turns):
            inside = uint32(step + uint32(0 if along_sum else turn * apart)) < step_limit
            if not one_line:
                inside = inside & (uint32(line + uint32(turn * apart)) < lines)
            load(pointer + stride * uint64(turn * apart), 0, inside, numbers, turn * moved)
        if along_sum:
            return pointer + uint64(STEPS)
        return pointer + stride * uint64(STEPS)

    @device_function
    def put(shared, at, numbers, thread):
        """Registers to shared memory."""
        line, step = place(thread)
        first = uint32(at + step * uint32(pitch) + line)
        for turn in range(turns):
            to = first + uint32(turn * shared_apart)
            if along_sum:
                for e in range(moved):
                    shared[to + uint32(e * pitch)] = numbers[turn * moved + e]
            else:
                store(shared, to, numbers, turn * moved)

    return place, begin, limit, fetch, put, pitch, turns * moved


# -- from registers to memory ---------------------------------------------------------------------


@functools.cache
def writer(tile: Tile, moved: int):
    """``write(c, results, row, rows, column, columns)``: what a thread does with its results.

    Its first row and column in C are `row` and `column`.
    """
    rows_each, columns_each, piece = tile.rows, tile.columns, tile.piece
    down_step, across_step = piece * tile.down, piece * tile.across
    store = store_piece(moved)

    @device_function
    def write(c, results, row, rows, column, columns):
        for i in range(rows_each):
            down = uint32(row + uint32(i // piece * down_step + i % piece))
            line = c + uint64(down) * uint64(columns)
            for j in range(0, columns_each, moved):
                here = uint32(column + uint32(j // piece * across_step + j % piece))
                if (down < rows) & (here < columns):
                    store(line, here, results, i * columns_each + j)

    return write


# -- the kernel -----------------------------------------------------------------------------------


@device_function
def _share(batch, down, across):
    """This block's part of the sum, product, row of blocks and column of blocks.

    Columns of blocks follow each other, then products, rows and parts. The last come first, since
    what was written last of A is still in the second-level cache.
    """
    number = uint32(uint32(cuda.gridDim.x) - uint32(1) - uint32(cuda.blockIdx.x))
    number, column = _divided(number, across)
    number, product = _divided(number, batch)
    part, row = _divided(number, down)
    return part, product, row, column


@device_function
def _divided(number, by):
    """The quotient and the remainder, of 32 bits."""
    quotient = uint32(number // by)
    return quotient, uint32(number - quotient * by)


def resident_threads(tile: Tile, moved: int) -> int:
    """How many threads a multiprocessor shall hold at least: they share its 65,536 registers."""
    if tile.results == 128:
        return 256
    # a piece at a time, a block of 256 threads is content with 128 registers each
    return 512 if moved > 1 and tile.threads == 256 else 384


@functools.cache
def product_kernel(tile: Tile, layout: str, moved: int) -> Kernel:
    """The kernel of C (rows, columns) = A B + bias.

    Parameters
    ----------
    tile : Tile
    layout : {"NN", "TN", "NT"}
        See `minicnn.ops.cuda.gemm.multiply`.
    moved : int
        Numbers that are moved at a time: a piece, or 1 where lengths do not divide by it.
    """
    block_rows, block_columns, results_each = tile.block_rows, tile.block_columns, tile.results
    threads_across, piece = tile.across, tile.piece
    place_a, begin_a, limit_a, fetch_a, put_a, a_pitch, a_count = carrier(
        block_rows, tile, moved, layout[0] == "N"
    )
    place_b, begin_b, limit_b, fetch_b, put_b, b_pitch, b_count = carrier(
        block_columns, tile, moved, layout[1] == "T"
    )
    add_products = products(tile, STEPS, a_pitch, b_pitch)
    add_bias, write = bias_adder(tile, moved), writer(tile, moved)
    b_first = STEPS * a_pitch  # in shared memory: a chunk of A, then one of B; and again
    other = b_first + STEPS * b_pitch
    shared_numbers = 2 * other

    @kernel(threads=tile.threads, blocks=resident_threads(tile, moved) // tile.threads)
    def multiply(
        a, b, bias, has_bias, parts, first_part, batch, rows, columns, depth, down, across, steps
    ):
        shared = cuda.shared.array(shared_numbers, a.dtype, alignment=16)
        a_numbers = cuda.local.array(a_count, a.dtype)
        b_numbers = cuda.local.array(b_count, a.dtype)
        results = cuda.local.array(results_each, a.dtype)
        thread = uint32(cuda.threadIdx.x)
        part, product, block_row, block_column = _share(batch, down, across)
        first_row = uint32(block_row * uint32(block_rows))
        first_column = uint32(block_column * uint32(block_columns))
        step = uint32(part * steps)
        last = min(uint32(step + steps), depth)

        # what this thread carries
        row, a_step = place_a(thread)
        row = uint32(first_row + row)
        a = a + uint64(product) * (uint64(rows) * uint64(depth))
        a_next = begin_a(a, row, uint32(step + a_step), rows, depth)
        a_limit = limit_a(row, rows, a_step, last)
        column, b_step = place_b(thread)
        column = uint32(first_column + column)
        b = b + uint64(product) * (uint64(depth) * uint64(columns))
        b_next = begin_b(b, column, uint32(step + b_step), columns, depth)
        b_limit = limit_b(column, columns, b_step, last)
        # what it multiplies
        right = uint32(uint32(thread % uint32(threads_across)) * uint32(piece))
        below = uint32(uint32(thread // uint32(threads_across)) * uint32(piece))

        clear(results)
        a_next = fetch_a(a_numbers, a_next, row, rows, depth, step, a_limit)
        b_next = fetch_b(b_numbers, b_next, column, columns, depth, step, b_limit)
        while step < last:
            # the chunk's half of shared memory: the number of the step tells, and saves a register
            at = uint32((step & uint32(STEPS)) * uint32(other // STEPS))
            put_a(shared, at, a_numbers, thread)
            put_b(shared, uint32(at + uint32(b_first)), b_numbers, thread)
            cuda.syncthreads()
            step = uint32(step + uint32(STEPS))
            a_next = fetch_a(a_numbers, a_next, row, rows, depth, step, a_limit)
            b_next = fetch_b(b_numbers, b_next, column, columns, depth, step, b_limit)
            a_at, b_at = uint32(at + below), uint32(at + uint32(b_first) + right)
            add_products(shared, a_at, shared, b_at, results)

        row, column = uint32(first_row + below), uint32(first_column + right)
        if (has_bias != uint32(0)) & (part == uint32(0)):
            add_bias(results, bias, column, columns)
        number = uint64(uint32(first_part + part)) * uint64(batch) + uint64(product)
        c = parts + number * (uint64(rows) * uint64(columns))
        write(c, results, row, rows, column, columns)

    return multiply
