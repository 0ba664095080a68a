"""CS231n dialect: affine with a loop over samples and outer products, accumulated by hand."""
import numpy as np


def affine_forward(x, w, b):
    num_samples, num_out = len(x), w.shape[1]
    out = np.zeros((num_samples, num_out))
    for n, sample in enumerate(x):
        features = sample.ravel()
        for m in range(num_out):
            out[n, m] = np.sum(features * w[:, m])
        out[n] += b
    return out, dict(x=x, w=w)


def affine_backward(dout, cache):
    x, w = cache["x"], cache["w"]
    dx = np.empty(x.shape)
    dw = np.zeros(w.shape)
    db = np.zeros(w.shape[1])
    for n in range(len(x)):
        upstream = dout[n]
        dx[n] = (w @ upstream).reshape(x[n].shape)
        dw += np.outer(x[n], upstream)
        db += upstream
    return dx, dw, db
