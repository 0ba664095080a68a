"""Places of a pooling: what a thread owns, and which pixels and windows lie over each other.

Along one axis a window at place p covers the pixels from p · stride - before on, `size` of them, as
far as they lie in the image; `before` is the padding.
"""

from minicnn.ops.cuda.compile import cuda, device_function, uint32


@device_function
def place_of_thread(lanes, width, channels):
    """Row, column and first channel that a thread owns, in an image of this width."""
    groups = uint32(channels // uint32(lanes))
    place = uint32(cuda.grid(1))
    pixel = uint32(place // groups)
    row = uint32(pixel // width)
    return row, uint32(pixel - row * width), uint32((place - pixel * groups) * uint32(lanes))


@device_function
def inside(place, stride, before, size, length):
    """First pixel of a window that lies inside the image, and the one after the last."""
    start = uint32(place * stride)  # counted from the rim's beginning
    return (
        uint32(max(start, before) - before),
        uint32(min(uint32(start + size), uint32(before + length)) - before),
    )


@device_function
def windows_over(pixel, stride, before, size, places):
    """First window that covers a pixel, and the one after the last."""
    from_rim = uint32(pixel + before)
    first = uint32(0)
    if from_rim >= size:
        first = uint32(uint32(from_rim - size) // stride + uint32(1))
    return first, min(uint32(from_rim // stride + uint32(1)), places)
