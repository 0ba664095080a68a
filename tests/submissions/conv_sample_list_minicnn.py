"""minicnn dialect: convolution of one image in helper functions, lists gather the batch."""
import numpy as np


def two_of(v):
    return tuple(v) if hasattr(v, "__len__") else (v, v)


def find_padding(padding, hw, k, s):
    if isinstance(padding, str) and padding == "same":
        total = [max((int(np.ceil(n / t)) - 1) * t + m - n, 0) for n, m, t in zip(hw, k, s)]
        return tuple((t // 2, t - t // 2) for t in total)
    if isinstance(padding, str):
        return (0, 0), (0, 0)
    up_down, left_right = two_of(padding)
    return two_of(up_down), two_of(left_right)


def corners(image, kh, kw, stride):
    """Upper left corner of every window, in reading order."""
    for top in range(0, image.shape[0] - kh + 1, stride[0]):
        for left in range(0, image.shape[1] - kw + 1, stride[1]):
            yield top, left


def convolve_one(image, w, stride):
    kh, kw, _, k = w.shape
    values = [
        np.einsum("ijc,ijck->k", image[t:t + kh, l:l + kw], w)
        for t, l in corners(image, kh, kw, stride)
    ]
    rows = (image.shape[0] - kh) // stride[0] + 1
    return np.array(values).reshape(rows, -1, k)


def gradients_of_one(image, w, grad, stride):
    kh, kw, _, k = w.shape
    dimage, dkernel = np.zeros_like(image), np.zeros_like(w)
    for (t, l), g in zip(corners(image, kh, kw, stride), grad.reshape(-1, k)):
        dimage[t:t + kh, l:l + kw] += w @ g
        dkernel += image[t:t + kh, l:l + kw, :, None] * g
    return dimage, dkernel


def conv2d_forward(x, w, b=None, *, stride=1, padding=0):
    stride = two_of(stride)
    pads = find_padding(padding, x.shape[1:3], w.shape[:2], stride)
    images = [np.pad(image, (*pads, (0, 0))) for image in x]
    y = np.array([convolve_one(image, w, stride) for image in images])
    if b is not None:
        y = y + np.reshape(b, (1, 1, 1, -1))
    return y, {"images": images, "x": x, "w": w, "b": b, "stride": stride, "pads": pads}


def conv2d_backward(dy, cache):
    height, width = cache["x"].shape[1:3]
    top, left = cache["pads"][0][0], cache["pads"][1][0]
    dxs, dws = [], []
    for image, grad in zip(cache["images"], dy):
        dimage, dkernel = gradients_of_one(image, cache["w"], grad, cache["stride"])
        dxs.append(dimage[top:top + height, left:left + width])
        dws.append(dkernel)
    db = None if cache["b"] is None else np.einsum("npqk->k", dy)
    return np.array(dxs), np.sum(dws, axis=0), db
