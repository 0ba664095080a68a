"""CS231n dialect: max pooling with comparisons of single numbers, the winner kept in the cache."""
import numpy as np


def max_pool_forward_naive(x, pool_param):
    N, C, H, W = x.shape
    ph = pool_param["pool_height"]
    pw = pool_param["pool_width"]
    s = pool_param["stride"]
    Ho = (H - ph) // s + 1
    Wo = (W - pw) // s + 1
    out = np.zeros((N, C, Ho, Wo))
    winners = {}
    for n in range(N):
        for c in range(C):
            for i in range(Ho):
                for j in range(Wo):
                    best, place = -float("inf"), None
                    for u in range(ph):
                        for v in range(pw):
                            value = x[n, c, i * s + u, j * s + v]
                            if value >= best:           # the last of equals
                                best, place = value, (i * s + u, j * s + v)
                    out[n, c, i, j] = best
                    winners[n, c, i, j] = place
    return out, (winners, x.shape)


def max_pool_backward_naive(dout, cache):
    winners, shape = cache
    dx = np.zeros(shape)
    for (n, c, i, j), (row, column) in winners.items():
        dx[n, c, row, column] += dout[n, c, i, j]
    return dx
