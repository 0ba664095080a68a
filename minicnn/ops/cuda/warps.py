"""What the threads of a warp, or of a block, find out together: in an order that is fixed."""

from minicnn.ops.cuda.compile import cuda, device_function, uint32

WARP = 32
ALL_LANES = 0xFFFFFFFF


@device_function
def warp_sum(value):
    """The sum of the lanes' values, for every lane: those 16 apart first, neighbours last."""
    for distance in (16, 8, 4, 2, 1):
        value += cuda.shfl_xor_sync(ALL_LANES, value, distance)
    return value


@device_function
def warp_max(value):
    """The greatest of the lanes' values, for every lane; none of them is NaN."""
    for distance in (16, 8, 4, 2, 1):
        other = cuda.shfl_xor_sync(ALL_LANES, value, distance)
        if other > value:
            value = other
    return value


@device_function
def block_sum(value, shared, warps):
    """The sum over all threads of a block, for its thread 0; shared holds a number a warp."""
    thread = uint32(cuda.threadIdx.x)
    value = warp_sum(value)
    if thread % uint32(WARP) == uint32(0):
        shared[thread // uint32(WARP)] = value
    cuda.syncthreads()
    if thread == uint32(0):
        for warp in range(1, warps):
            value += shared[warp]
    return value
