"""CS231n dialect: sandwiches with norms, arguments and gradients in an order of their own."""


def affine_bn_relu_forward(x, gamma, beta, w, b, bn_param):
    a, fc = affine_forward(x, w, b)  # noqa: F821
    n, bn = batchnorm_forward(a, gamma, beta, bn_param)  # noqa: F821
    out, relu = relu_forward(n)  # noqa: F821
    return out, dict(fc=fc, bn=bn, relu=relu)


def affine_bn_relu_backward(dout, cache):
    d = relu_backward(dout, cache["relu"])  # noqa: F821
    d, dgamma, dbeta = batchnorm_backward_alt(d, cache["bn"])  # noqa: F821
    dx, dw, db = affine_backward(d, cache["fc"])  # noqa: F821
    return dx, dgamma, dbeta, dw, db


def affine_layernorm_relu_forward(X, W, b, gamma, beta, ln_params):
    a, fc = affine_forward(X, W, b)  # noqa: F821
    n, ln = layernorm_forward(a, gamma, beta, ln_params)  # noqa: F821
    out, relu = relu_forward(n)  # noqa: F821
    return out, [fc, ln, relu]


def affine_layernorm_relu_backward(dout, cache):
    relu = cache.pop()
    ln = cache.pop()
    fc = cache.pop()
    d = relu_backward(dout, relu)  # noqa: F821
    d, dgamma, dbeta = layernorm_backward(d, ln)  # noqa: F821
    return (*affine_backward(d, fc), dgamma, dbeta)  # noqa: F821
