"""CS231n dialect: convolution by einsum over sliding views, dx as a full correlation."""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    HH, WW = w.shape[2:]
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    views = sliding_window_view(xp, (HH, WW), axis=(2, 3))
    views = views[:, :, ::stride, ::stride]                 # N C H' W' HH WW
    out = np.einsum("ncijuv,fcuv->nfij", views, w)
    out = out + b[:, None, None]
    return out, (x, w, views, xp.shape, conv_param)


def conv_backward_naive(dout, cache):
    x, w, views, (N, C, Hp, Wp), conv_param = cache
    s, pad = conv_param["stride"], conv_param["pad"]
    F, _, HH, WW = w.shape
    H, W = x.shape[2:]

    db = np.einsum("nfij->f", dout)
    dw = np.einsum("ncijuv,nfij->fcuv", views, dout)

    # put the zeros back that the stride jumped over ...
    spread = np.zeros((N, F, Hp - HH + 1, Wp - WW + 1), dtype=dout.dtype)
    spread[:, :, ::s, ::s] = dout
    # ... and correlate, rim and all, with the kernel turned by 180 degrees
    rim = ((0, 0), (0, 0), (HH - 1, HH - 1), (WW - 1, WW - 1))
    seen = sliding_window_view(np.pad(spread, rim), (HH, WW), axis=(2, 3))
    turned = w[:, :, ::-1, ::-1]
    dxp = np.einsum("nfijuv,fcuv->ncij", seen, turned)
    dx = dxp[:, :, pad:pad + H, pad:pad + W]
    return dx, dw, db
