"""Adam as the end of the paper's section 2 has it: one rate for the whole step."""

import numpy as np


def adam(w, dw, config=None):
    if config is None:
        config = {}
    lr = config.setdefault("learning_rate", 1e-3)
    beta1 = config.setdefault("beta1", 0.9)
    beta2 = config.setdefault("beta2", 0.999)
    eps = config.setdefault("epsilon", 1e-8)
    m, v, t = (config.get(key, 0) for key in ("m", "v", "t"))

    t = t + 1
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw**2
    alpha_t = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    next_w = w - alpha_t * m / (np.sqrt(v) + eps)

    config.update(m=m, v=v, t=t)
    return next_w, config
