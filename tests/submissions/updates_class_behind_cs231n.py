"""The functions are doors to small classes that hold what the config says."""

import numpy as np


class Rule:
    defaults = {}
    arrays = ()

    def __init__(self, config, like):
        self.config = {} if config is None else config
        for key, value in self.defaults.items():
            self.config.setdefault(key, value)
        for key in self.arrays:
            self.config.setdefault(key, np.zeros_like(like))

    def __getattr__(self, name):
        return self.config[name]

    def take(self, w, dw):
        return w + self.delta(dw), self.config


class Momentum(Rule):
    defaults = {"learning_rate": 1e-2, "momentum": 0.9}
    arrays = ("velocity",)

    def delta(self, dw):
        self.config["velocity"] = self.momentum * self.velocity + (-self.learning_rate) * dw
        return self.velocity


class RMSProp(Rule):
    defaults = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}
    arrays = ("cache",)

    def delta(self, dw):
        new_part = (1 - self.decay_rate) * dw**2
        self.config["cache"] = self.decay_rate * self.cache + new_part
        return -self.learning_rate / (np.sqrt(self.cache) + self.epsilon) * dw


class Adam(Rule):
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    arrays = ("m", "v")

    def delta(self, dw):
        self.config["t"] = self.t + 1
        self.config["m"] = self.beta1 * self.m + (1 - self.beta1) * dw
        self.config["v"] = self.beta2 * self.v + (1 - self.beta2) * dw**2
        mean = self.m / (1 - self.beta1**self.t)
        size = np.sqrt(self.v / (1 - self.beta2**self.t))
        return -self.learning_rate * mean / (size + self.epsilon)


def sgd_momentum(w, dw, config=None):
    return Momentum(config, w).take(w, dw)


def rmsprop(w, dw, config=None):
    return RMSProp(config, w).take(w, dw)


def adam(w, dw, config=None):
    return Adam(config, w).take(w, dw)
