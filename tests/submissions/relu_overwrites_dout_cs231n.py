"""CS231n dialect: ReLU by indexing; backward writes into the dout that it was given."""


def relu_forward(x):
    out = x.copy()
    out[x < 0] = 0
    return out, x


def relu_backward(dout, cache):
    dx = dout
    dx[cache <= 0] = 0
    return dx
