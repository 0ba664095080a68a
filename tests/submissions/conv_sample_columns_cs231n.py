"""CS231n dialect: convolution one image at a time, each unrolled into a matrix of patches."""
import numpy as np


def unroll(image, HH, WW, stride):
    """image (C, Hp, Wp) -> rows of patches (L, C*HH*WW), in reading order."""
    C, Hp, Wp = image.shape
    patches = []
    for top in range(0, Hp - HH + 1, stride):
        for left in range(0, Wp - WW + 1, stride):
            patches.append(image[:, top:top + HH, left:left + WW].ravel())
    return np.array(patches)


def roll_back(rows, shape, HH, WW, stride):
    """The adjoint of unroll: every patch is added where it was cut out."""
    C, Hp, Wp = shape
    image = np.zeros(shape)
    patch = iter(rows)
    for top in range(0, Hp - HH + 1, stride):
        for left in range(0, Wp - WW + 1, stride):
            image[:, top:top + HH, left:left + WW] += next(patch).reshape(C, HH, WW)
    return image


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    F, C, HH, WW = w.shape
    kernel = w.reshape(F, -1).T
    Ho = (x.shape[2] + 2 * pad - HH) // stride + 1
    outs, matrices = [], []
    for image in x:
        padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
        rows = unroll(padded, HH, WW, stride)
        matrices.append(rows)
        outs.append((rows @ kernel + b).T.reshape(F, Ho, -1))
    return np.stack(outs), (x.shape, w, matrices, stride, pad)


def conv_backward_naive(dout, cache):
    (N, C, H, W), w, matrices, stride, pad = cache
    F, _, HH, WW = w.shape
    dx = np.zeros((N, C, H, W))
    dw = np.zeros((F, C * HH * WW))
    db = np.zeros(F)
    for n in range(N):
        grad = dout[n].reshape(F, -1)
        db += grad.sum(axis=1)
        dw += grad @ matrices[n]
        drows = grad.T @ w.reshape(F, -1)
        dimage = roll_back(drows, (C, H + 2 * pad, W + 2 * pad), HH, WW, stride)
        dx[n] = dimage[:, pad:pad + H, pad:pad + W]
    return dx, dw.reshape(w.shape), db
