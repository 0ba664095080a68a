"""Winograd's transforms as kernels: from the arrays of a convolution to 36 frequencies, and back.

In two directions each matrix of `winograd_matrices` is applied twice, along rows and columns::

    transform_input       V = Bᵀ d B         6×6 pixels d of x
    transform_output      y = Aᵀ M A + bias  4×4 pixels of y, where M = V ⊙ U, summed over channels
    transform_gradient    M = A dy Aᵀ        4×4 pixels of dy
    transform_filters     U = G g Gᵀ         3×3 weights g
    filter_gradient       dw = Gᵀ dU G       3×3 weights, where dU = V ⊙ M, summed over tiles

V and M hold a matrix (tiles, channels) for each frequency, one after the other. A thread has a tile
of four neighbouring channels in its registers, or of one channel where four do not fit; threads
side by side have channels side by side. The tiles of a launch are those of some whole rows of
tiles, counted through all images.
"""

import functools

from minicnn.ops.cuda.compile import cuda, device_function, kernel, uint32, uint64
from minicnn.ops.cuda.intrinsics import load4, store4
from minicnn.ops.cuda.winograd_matrices import a_times, at_times, bt_times, g_times, gt_times

TILE_THREADS = 128

FILTER_THREADS = 32
"""One warp a block, so that few filters spread over all multiprocessors."""


def _both_sides(times, few, many, together=1):
    """A device function: P d Pᵀ (many, many) of d (few, few), where `times` multiplies by P.

    It does so for as many channels as lie one after the other in d and in the result.
    """

    @device_function
    def apply(d, half, result, of):
        for j in range(few):  # half = P d (many, few)
            column = times(d, of * few * few + j, few)
            for i in range(many):
                half[i * few + j] = column[i]
        for i in range(many):  # half Pᵀ (many, many)
            row = times(half, i * few, 1)
            for j in range(many):
                result[of * many * many + i * many + j] = row[j]

    @device_function
    def apply_to_all(d, half, result):
        apply(d, half, result, 0)
        if together == 4:  # no loop: the compiler would not unroll one so long
            apply(d, half, result, 1)
            apply(d, half, result, 2)
            apply(d, half, result, 3)

    return apply_to_all


def _moves(channels):
    """Device functions that move so many neighbouring channels between memory and registers.

    ``d[step * e + at]`` is element `at` of channel e.
    """

    @device_function
    def load(d, at, step, x, i):
        if channels == 4:
            d[at], d[step + at], d[2 * step + at], d[3 * step + at] = load4(x, i)
        else:
            d[at] = x[i]

    @device_function
    def store(d, at, step, x, i):
        if channels == 4:
            store4(x, i, d[at], d[step + at], d[2 * step + at], d[3 * step + at])
        else:
            x[i] = d[at]

    return load, store


@device_function
def _divided(number, by):
    """The quotient and the remainder, of 32 bits."""
    quotient = uint32(number // by)
    return quotient, uint32(number - uint32(quotient * by))


@device_function
def _place(thread, groups, down, across, first_image, first_row):
    """A thread's group of channels, and its tile: image, row and column of tiles.

    The launch begins with a row of tiles of an image; there may be more than 2**32 images.
    """
    tile, group = _divided(thread, groups)
    row, q = _divided(tile, across)
    image, p = _divided(uint32(row + first_row), down)
    return group, uint64(image) + first_image, p, q


@device_function
def _row_of_pixels(x, image, height, h, width, channels):
    """The pointer to the row of pixels x[image, h], in 64 bits."""
    return x + (image * uint64(height) + uint64(h)) * uint64(uint32(width * channels))


@functools.cache
def transform_input(together):
    """V (36, tiles, C) = Bᵀ d B of x (N, H, W, C), zeros outside the image."""
    size = 36 * together
    load, store = _moves(together)
    to_frequencies = _both_sides(bt_times, 6, 6, together)

    @kernel(threads=TILE_THREADS)
    def transform_input(
        x, v, tiles, first_image, first_row, height, width, channels, down, across, top, left
    ):
        d = cuda.local.array(size, x.dtype)
        half = cuda.local.array(36, x.dtype)
        thread = uint32(cuda.grid(1))
        groups = uint32(channels // uint32(together))
        if thread >= uint32(tiles * groups):
            return
        group, image, p, q = _place(thread, groups, down, across, first_image, first_row)
        for i in range(6):
            h = uint32(uint32(4) * p + uint32(i) - top)  # modulo 2**32: above the image is below
            pixels = _row_of_pixels(x, image, height, h, width, channels)
            for j in range(6):
                w = uint32(uint32(4) * q + uint32(j) - left)
                if (h < height) & (w < width):
                    load(d, 6 * i + j, 36, pixels, uint32(w * channels + group * uint32(together)))
                else:
                    for e in range(together):
                        d[36 * e + 6 * i + j] = x.dtype.type(0)
        to_frequencies(d, half, d)
        to, step = uint32(thread * uint32(together)), uint32(tiles * channels)
        for f in range(36):
            store(d, f, 36, v, uint32(to + uint32(f) * step))

    return transform_input


@functools.cache
def transform_output(together):
    """y (N, OH, OW, K) = Aᵀ M A + bias of M (36, tiles, K), where it lies in the image."""
    size, made = 36 * together, 16 * together
    load, store = _moves(together)
    from_frequencies = _both_sides(at_times, 6, 4, together)

    @kernel(threads=TILE_THREADS)
    def transform_output(
        m, bias, has_bias, y, tiles, first_image, first_row, height, width, filters, down, across
    ):
        d = cuda.local.array(size, y.dtype)
        half = cuda.local.array(24, y.dtype)
        outputs = cuda.local.array(made, y.dtype)
        shift = cuda.local.array(together, y.dtype)
        thread = uint32(cuda.grid(1))
        groups = uint32(filters // uint32(together))
        if thread >= uint32(tiles * groups):
            return
        group, image, p, q = _place(thread, groups, down, across, first_image, first_row)
        at, step = uint32(thread * uint32(together)), uint32(tiles * filters)
        for f in range(36):
            load(d, f, 36, m, uint32(at + uint32(f) * step))
        from_frequencies(d, half, outputs)
        for e in range(together):
            shift[e] = y.dtype.type(0)
        if has_bias != uint32(0):
            load(shift, 0, 1, bias, uint32(group * uint32(together)))
        for i in range(4):
            h = uint32(uint32(4) * p + uint32(i))
            pixels = _row_of_pixels(y, image, height, h, width, filters)
            for j in range(4):
                w = uint32(uint32(4) * q + uint32(j))
                if (h < height) & (w < width):
                    for e in range(together):
                        outputs[16 * e + 4 * i + j] += shift[e]
                    to = uint32(w * filters + group * uint32(together))
                    store(outputs, 4 * i + j, 16, pixels, to)

    return transform_output


@functools.cache
def transform_gradient(together):
    """M (36, tiles, K) = A dy Aᵀ of dy (N, OH, OW, K), zeros outside the image."""
    size, made = 16 * together, 36 * together
    load, store = _moves(together)
    to_frequencies = _both_sides(a_times, 4, 6, together)

    @kernel(threads=TILE_THREADS)
    def transform_gradient(
        dy, m, tiles, first_image, first_row, height, width, filters, down, across
    ):
        d = cuda.local.array(size, dy.dtype)
        half = cuda.local.array(24, dy.dtype)
        result = cuda.local.array(made, dy.dtype)
        thread = uint32(cuda.grid(1))
        groups = uint32(filters // uint32(together))
        if thread >= uint32(tiles * groups):
            return
        group, image, p, q = _place(thread, groups, down, across, first_image, first_row)
        for i in range(4):
            h = uint32(uint32(4) * p + uint32(i))
            pixels = _row_of_pixels(dy, image, height, h, width, filters)
            for j in range(4):
                w = uint32(uint32(4) * q + uint32(j))
                if (h < height) & (w < width):
                    load(d, 4 * i + j, 16, pixels, uint32(w * filters + group * uint32(together)))
                else:
                    for e in range(together):
                        d[16 * e + 4 * i + j] = dy.dtype.type(0)
        to_frequencies(d, half, result)
        to, step = uint32(thread * uint32(together)), uint32(tiles * filters)
        for f in range(36):
            store(result, f, 36, m, uint32(to + uint32(f) * step))

    return transform_gradient


_filter_to_frequencies = _both_sides(g_times, 3, 6)
_frequencies_to_filter = _both_sides(gt_times, 6, 3)


@kernel(threads=FILTER_THREADS)
def transform_filters(w, u, count, flipped):
    """U (36, C K) = G g Gᵀ of w (9, C K); one filter of one channel a thread.

    Flipped, a filter is turned by 180°: its last weight is its first.
    """
    g = cuda.local.array(9, w.dtype)
    half = cuda.local.array(18, w.dtype)
    d = cuda.local.array(36, w.dtype)
    i = uint32(cuda.grid(1))
    if i >= count:
        return
    for k in range(9):
        weight = uint32(8 - k) if flipped != uint32(0) else uint32(k)
        g[k] = w[uint64(weight) * uint64(count) + uint64(i)]
    _filter_to_frequencies(g, half, d)
    for f in range(36):
        u[uint64(f) * uint64(count) + uint64(i)] = d[f]


@kernel(threads=FILTER_THREADS)
def filter_gradient(du, parts, dw, count):
    """dw (9, C K) = Gᵀ dU G, where dU (36, C K) is the sum of its parts (parts, 36, C K)."""
    d = cuda.local.array(36, dw.dtype)
    half = cuda.local.array(18, dw.dtype)
    g = cuda.local.array(9, dw.dtype)
    i = uint32(cuda.grid(1))
    if i >= count:
        return
    for f in range(36):
        d[f] = dw.dtype.type(0)
    numbers = du + uint64(i)
    part = uint32(0)
    while part < parts:
        for f in range(36):
            d[f] += numbers[uint64(f) * uint64(count)]
        numbers = numbers + uint64(36) * uint64(count)
        part = uint32(part + uint32(1))
    _frequencies_to_filter(d, half, g)
    for k in range(9):
        dw[uint64(k) * uint64(count) + uint64(i)] = g[k]
