"""One small example for each exercise, as a session of Python; the reference gives the answers."""

import ast
import io
from contextlib import redirect_stdout

import numpy as np

from minicnn.ops import reference

_SESSIONS: dict[str, str] = {
    "batchnorm": """
x = np.array([[1.0], [4.0], [9.0]])
gamma, beta = np.array([2.0]), np.array([1.0])
running_mean, running_var = np.zeros(1), np.ones(1)
y, cache = batchnorm_forward(x, gamma, beta, running_mean, running_var, training=True)
print(y.round(4).ravel(), running_mean.round(4), running_var.round(4))
dx, dgamma, dbeta = batchnorm_backward(np.array([[1.0], [0.0], [2.0]]), cache)
print(dx.round(4).ravel(), dgamma.round(4), dbeta.round(4))
""",
    "layernorm": """
x = np.array([[1.0, 4.0, 9.0]])
y, cache = layernorm_forward(x, np.array([2.0, 1.0, 3.0]), np.array([1.0, 1.0, 1.0]))
print(y.round(4))
dx, dgamma, dbeta = layernorm_backward(np.array([[1.0, 3.0, 2.0]]), cache)
print(dx.round(4), dgamma.round(4), dbeta.round(4))
""",
    "groupnorm": """
x = np.array([[1.0, 4.0, 9.0, 5.0, 2.0, 0.0]])
gamma, beta = np.array([2.0, 1.0, 3.0, 1.0, 1.0, 2.0]), np.ones(6)
y, cache = groupnorm_forward(x, gamma, beta, groups=2)
print(y.round(4))
dx, dgamma, dbeta = groupnorm_backward(np.array([[1.0, 3.0, 2.0, 4.0, 1.0, 2.0]]), cache)
print(dx.round(4))
print(dgamma.round(4), dbeta.round(4))
""",
    "conv2d": """
x = np.arange(9.0).reshape(1, 3, 3, 1)
w = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(2, 2, 1, 1)
y, cache = conv2d_forward(x, w, np.array([0.5]))
print(y[0, :, :, 0])
dy = np.array([[1.0, -1.0], [2.0, 3.0]]).reshape(1, 2, 2, 1)
dx, dw, db = conv2d_backward(dy, cache)
print(dx[0, :, :, 0])
print(dw[:, :, 0, 0], db)
""",
    "maxpool2d": """
x = np.array([[1.0, 5.0, 2.0], [4.0, 3.0, 7.0], [6.0, 0.0, 8.0]]).reshape(1, 3, 3, 1)
y, cache = maxpool2d_forward(x, size=2, stride=1)
print(y[0, :, :, 0])
dy = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
dx = maxpool2d_backward(dy, cache)
print(dx[0, :, :, 0])
""",
    "avgpool2d": """
x = np.arange(9.0).reshape(1, 3, 3, 1)
y, cache = avgpool2d_forward(x, size=2, stride=1)
print(y[0, :, :, 0])
dy = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
dx = avgpool2d_backward(dy, cache)
print(dx[0, :, :, 0])
""",
    "global_avgpool2d": """
x = np.arange(8.0).reshape(1, 2, 2, 2)
y, cache = global_avgpool2d_forward(x)
print(y)
dx = global_avgpool2d_backward(np.array([[1.0, 2.0]]), cache)
print(dx[0, :, :, 0], dx[0, :, :, 1])
""",
    "dense": """
x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
y, cache = dense_forward(x, w, np.array([0.5, 1.0, 1.5]))
print(y)
dx, dw, db = dense_backward(np.array([[1.0, 2.0, 3.0]]), cache)
print(dx, db)
print(dw)
""",
    "relu": """
y, cache = relu_forward(np.array([-2.0, 1.0, 3.0]))
print(y)
print(relu_backward(np.array([5.0, -6.0, 7.0]), cache))
""",
    "leaky_relu": """
y, cache = leaky_relu_forward(np.array([-2.0, 1.0, 3.0]), slope=0.1)
print(y.round(4))
print(leaky_relu_backward(np.array([5.0, -6.0, 7.0]), cache).round(4))
""",
    "elu": """
y, cache = elu_forward(np.array([-2.0, 1.0, 3.0]), alpha=2.0)
print(y.round(4))
print(elu_backward(np.array([5.0, -6.0, 7.0]), cache).round(4))
""",
    "dropout": """
x, dy = np.arange(1.0, 101.0), np.arange(101.0, 201.0)
y, cache = dropout_forward(x, rate=0.5, training=True, rng=np.random.default_rng(0))
print(np.unique(y / x))
print(np.allclose(dropout_backward(dy, cache) / dy, y / x))
""",
    "softmax_cross_entropy": """
logits, labels = np.array([[1.0, 2.0, 4.0], [0.0, 3.0, 1.0]]), np.array([2, 0])
print(softmax(logits).round(4))
loss, cache = softmax_cross_entropy_forward(logits, labels)
print(round(float(loss), 4))
print(softmax_cross_entropy_backward(cache).round(4))
""",
    "sgd_update": """
w, v = np.array([1.0, -2.0]), np.array([0.5, 0.5])
sgd_update(w, np.array([2.0, -1.0]), v, lr=0.1, momentum=0.9)
print(w.round(4), v.round(4))
""",
    "rmsprop_update": """
w, s = np.array([1.0, -2.0]), np.array([4.0, 1.0])
rmsprop_update(w, np.array([2.0, -3.0]), s, lr=0.1, smoothing=0.9, eps=1e-8)
print(w.round(4), s.round(4))
""",
    "adam_update": """
w, g, m, s = np.array([1.0, -2.0]), np.array([2.0, -3.0]), np.zeros(2), np.zeros(2)
adam_update(w, g, m, s, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-8, step=1)
print(w.round(4), m.round(4), s.round(4))
""",
}


def example_lines(name: str) -> list[str]:
    """The example of an exercise, in the form that `doctest` runs.

    Parameters
    ----------
    name : str
        Of an exercise.

    Returns
    -------
    list of str
        Statements behind ``>>>``, and below each what the reference's functions print.
    """
    space = {**vars(reference), "np": np}
    lines = []
    for statement in ast.parse(_SESSIONS[name]).body:
        printed = io.StringIO()
        source = ast.get_source_segment(_SESSIONS[name], statement)
        assert source is not None
        with redirect_stdout(printed):
            exec(source, space)
        lines += [f">>> {source}", *printed.getvalue().splitlines()]
    return lines
