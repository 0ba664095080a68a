"""What the 32 threads of a warp find out together, in a fixed order: every lane gets the answer."""

from minicnn.ops.cuda.compile import cuda, device_function

WARP = 32
ALL_LANES = 0xFFFFFFFF


@device_function
def warp_sum(value):
    """The sum of the lanes' values: lanes 16 apart first, neighbours last."""
    for distance in (16, 8, 4, 2, 1):
        value += cuda.shfl_xor_sync(ALL_LANES, value, distance)
    return value


@device_function
def warp_max(value):
    """The greatest of the lanes' values, none of which is NaN."""
    for distance in (16, 8, 4, 2, 1):
        other = cuda.shfl_xor_sync(ALL_LANES, value, distance)
        if other > value:
            value = other
    return value
