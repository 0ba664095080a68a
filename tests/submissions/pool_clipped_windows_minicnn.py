"""minicnn dialect: max pooling window by window, clipped at the image's edge instead of padded."""
import numpy as np


def ends(value):
    return value if isinstance(value, (tuple, list)) else (value, value)


def spans(length, k, step, before, after):
    """Start and stop of every window along one axis, inside the image."""
    count = (length + before + after - k) // step + 1
    starts = [m * step - before for m in range(count)]
    return [(max(a, 0), min(a + k, length)) for a in starts]


def maxpool2d_forward(x, *, size=2, stride=None, padding=0):
    kernel = ends(size)
    step = kernel if stride is None else ends(stride)
    N, H, W, C = x.shape
    axes = []
    for axis, length in enumerate((H, W)):
        if padding == "same":
            places = -(-length // step[axis])
            total = max((places - 1) * step[axis] + kernel[axis] - length, 0)
            before, after = total // 2, total - total // 2
        elif padding == "valid":
            before = after = 0
        else:
            before, after = ends(ends(padding)[axis])
        axes.append(spans(length, kernel[axis], step[axis], before, after))
    rows, cols = axes
    y = np.empty((N, len(rows), len(cols), C), dtype=x.dtype)
    for p, (t, b) in enumerate(rows):
        for q, (l, r) in enumerate(cols):
            y[:, p, q, :] = x[:, t:b, l:r, :].max(axis=(1, 2))
    return y, {"x": x, "y": y, "rows": rows, "cols": cols}


def maxpool2d_backward(dy, cache):
    x = cache["x"]
    N, C = x.shape[0], x.shape[3]
    dx = np.zeros_like(x)
    for p, (t, b) in enumerate(cache["rows"]):
        for q, (l, r) in enumerate(cache["cols"]):
            flat = x[:, t:b, l:r, :].reshape(N, -1, C)
            chosen = np.zeros_like(flat)
            np.put_along_axis(chosen, flat.argmax(axis=1)[:, None, :], 1, axis=1)
            routed = chosen * dy[:, p, q, None, :]
            dx[:, t:b, l:r, :] += routed.reshape(N, b - t, r - l, C)
    return dx
