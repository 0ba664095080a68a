"""CS231n dialect: convolution that asks for a kernel no larger than the image, and says so."""
import numpy as np


def check_sizes(image, kernel):
    for length, size in zip(image, kernel):
        if size > length:
            raise ValueError(f"the kernel ({size}) is larger than the image ({length})")


def conv_forward_naive(x, w, b, conv_param):
    check_sizes(x.shape[2:], w.shape[2:])
    s, p = conv_param["stride"], conv_param["pad"]
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    rows = (xp.shape[2] - w.shape[2]) // s + 1
    cols = (xp.shape[3] - w.shape[3]) // s + 1
    out = np.zeros((len(x), len(w), rows, cols))
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            seen = xp[:, :, u:u + s * (rows - 1) + 1:s, v:v + s * (cols - 1) + 1:s]
            out += np.tensordot(w[:, :, u, v], seen, (1, 1)).swapaxes(0, 1)
    return out + b.reshape(1, -1, 1, 1), (xp, w, s, p)


def conv_backward_naive(dout, cache):
    xp, w, s, p = cache
    rows, cols = dout.shape[2:]
    dxp, dw = np.zeros(xp.shape), np.zeros(w.shape)
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            here = np.s_[:, :, u:u + s * (rows - 1) + 1:s, v:v + s * (cols - 1) + 1:s]
            dw[:, :, u, v] = np.tensordot(dout, xp[here], ((0, 2, 3), (0, 2, 3)))
            dxp[here] += np.tensordot(w[:, :, u, v], dout, (0, 1)).swapaxes(0, 1)
    end = [length - p for length in dxp.shape[2:]]
    return dxp[:, :, p:end[0], p:end[1]], dw, np.einsum("nfij->f", dout)
