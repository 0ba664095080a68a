"""Planted faults of update rules: single edits of correct submissions.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

F = "wrong-forward"

STARTER = "updates_starter_cs231n.py"
PLACE = "updates_in_place_cs231n.py"
NEW = "updates_new_config_cs231n.py"
COMPACT = "updates_compact_adam_cs231n.py"
EXACT = "updates_exact_compact_adam_cs231n.py"
ELEMENT = "updates_elementwise_cs231n.py"
SINGLE = "updates_float32_cs231n.py"
CLASS = "updates_class_behind_cs231n.py"
FLAT = "updates_flattened_cs231n.py"
EARLY = "updates_early_course_cs231n.py"
OWN = "updates_in_place_minicnn.py"
FEW = "updates_few_options_minicnn.py"

MOMENTUM, RMSPROP, ADAM = "sgd_momentum", "rmsprop", "adam"

PLANTED = [
    # the learning rate is left out, or elsewhere
    ("momentum-rate-missing", STARTER, MOMENTUM, F,
     'config["momentum"] * v - config["learning_rate"] * dw\n    next_w = w + v',
     'config["momentum"] * v + dw\n    next_w = w - config["learning_rate"] * v'),
    ("momentum-rate-missing", PLACE, MOMENTUM, F, "v -= lr * dw", "v -= dw"),
    ("momentum-rate-missing", ELEMENT, MOMENTUM, F,
     "velocity[place] - rate * dw[place]\n        result[place] = w[place] + velocity[place]",
     "velocity[place] + dw[place]\n        result[place] = w[place] - velocity[place]"),
    ("momentum-rate-missing", CLASS, MOMENTUM, F, "(-self.learning_rate) * dw", "-dw"),
    ("momentum-rate-missing", OWN, "sgd_update", F,
     "(g + momentum * v) if nesterov else lr * v", "(g + momentum * v) if nesterov else v"),
    ("momentum-rate-missing", FEW, "sgd_update", F, "w, lr * v, out", "w, v, out"),
    ("momentum-rate-missing", FEW, "sgd_update", F,
     "np.add(v, g, out=v)\n    np.subtract(w, lr * v, out=w)",
     "np.subtract(v, lr * g, out=v)\n    np.add(w, v, out=w)"),
    # a wrong sign
    ("momentum-sign", STARTER, MOMENTUM, F,
     'v - config["learning_rate"] * dw', 'v + config["learning_rate"] * dw'),
    ("momentum-sign", NEW, MOMENTUM, F, "return w + velocity", "return w - velocity"),
    ("momentum-sign", PLACE, MOMENTUM, F,
     "v -= lr * dw\n    w += v", "v += lr * dw\n    w -= v"),
    ("momentum-sign", FLAT, MOMENTUM, F, '[config["momentum"], -', '[-config["momentum"], -'),
    ("momentum-sign", EARLY, MOMENTUM, F, "next_w += v",
     "next_w -= config['momentum']*v + config['learning_rate']*dw"),
    ("momentum-sign", OWN, "sgd_update", F, "(g + momentum * v) if", "(g - momentum * v) if"),
    ("momentum-sign", FEW, "sgd_update", F, "np.add(v, g, out=v)", "np.subtract(v, g, out=v)"),
    # the weights of old and new exchanged
    ("decay-swapped", STARTER, RMSPROP, F,
     'rate = config["decay_rate"]', 'rate = 1 - config["decay_rate"]'),
    ("decay-swapped", PLACE, RMSPROP, F,
     "cache *= decay\n    cache += (1 - decay) *", "cache *= 1 - decay\n    cache += decay *"),
    ("decay-swapped", NEW, ADAM, F,
     'm = c["m"] + (1 - c["beta1"]) * (dw', 'm = c["m"] + c["beta1"] * (dw'),
    ("decay-swapped", SINGLE, ADAM, F,
     'smooth(config.get("v", 0), dw * dw, b2)', 'smooth(dw * dw, config.get("v", 0), b2)'),
    ("decay-swapped", FLAT, ADAM, F,
     "betas[:, None] * old + (1 - betas[:, None]) * new",
     "betas[:, None] * new + (1 - betas[:, None]) * old"),
    ("decay-swapped", OWN, "rmsprop_update", F,
     "smoothing * s + (1 - smoothing) * g**2", "(1 - smoothing) * s + smoothing * g**2"),
    # no root
    ("rmsprop-root-missing", STARTER, RMSPROP, F, 'np.sqrt(config["cache"])', 'config["cache"]'),
    ("rmsprop-root-missing", NEW, RMSPROP, F, "(cache**0.5 +", "(cache +"),
    ("rmsprop-root-missing", ELEMENT, ADAM, F,
     "spread = math.sqrt(v[place] / (1 - math.pow(beta2, t)))",
     "spread = v[place] / (1 - math.pow(beta2, t))"),
    ("rmsprop-root-missing", CLASS, RMSPROP, F,
     "(np.sqrt(self.cache) + self.epsilon) * dw", "(self.cache + self.epsilon) * dw"),
    ("rmsprop-root-missing", FEW, "rmsprop_update", F, "s**0.5)", "s)"),
    # eps elsewhere
    ("eps-misplaced", STARTER, RMSPROP, F,
     '(np.sqrt(config["cache"]) + config["epsilon"])',
     'np.sqrt(config["cache"] + config["epsilon"])'),
    ("eps-misplaced", STARTER, ADAM, F,
     '(np.sqrt(vt) + config["epsilon"])', 'np.sqrt(vt) + config["epsilon"]'),
    ("eps-misplaced", PLACE, RMSPROP, F, "(np.sqrt(cache) + eps)", "(np.sqrt(cache) * eps)"),
    ("eps-misplaced", NEW, ADAM, F, '(unbiased_v**0.5 + c["epsilon"])', "(unbiased_v**0.5 + 1e-8)"),
    ("eps-misplaced", COMPACT, ADAM, F, "(np.sqrt(v) + eps)", "np.sqrt(v + eps)"),
    ("eps-misplaced", EXACT, ADAM, F, " + config[\"epsilon\"] * root)", ")"),
    ("eps-misplaced", ELEMENT, RMSPROP, F,
     "(math.sqrt(cache[place]) + small)", "math.sqrt(cache[place] + small)"),
    ("eps-misplaced", OWN, "adam_update", F, "(np.sqrt(s_hat) + eps)", "np.sqrt(s_hat + eps)"),
    ("eps-misplaced", FEW, "rmsprop_update", F, "(1 / (eps + s**0.5))", "(1 / (s + eps)**0.5)"),
    # uncorrected moments
    ("adam-bias-correction-missing", STARTER, ADAM, F,
     'mt / (np.sqrt(vt) + ', 'config["m"] / (np.sqrt(config["v"]) + '),
    ("adam-bias-correction-missing", STARTER, ADAM, F,
     'mt = config["m"] / (1 - config["beta1"] ** config["t"])', 'mt = config["m"]'),
    ("adam-bias-correction-missing", PLACE, ADAM, F, "np.sqrt(v / (1 - b2**t))", "np.sqrt(v)"),
    ("adam-bias-correction-missing", COMPACT, ADAM, F, " / (1 - beta1**t)", ""),
    ("adam-bias-correction-missing", COMPACT, ADAM, F, "lr * np.sqrt(1 - beta2**t) /", "lr /"),
    ("adam-bias-correction-missing", FLAT, ADAM, F,
     "corrected = moments / (1 - betas ** config[\"t\"])[:, None]", "corrected = moments"),
    ("adam-bias-correction-missing", CLASS, ADAM, F,
     "self.m / (1 - self.beta1**self.t)", "self.m"),
    ("adam-bias-correction-missing", OWN, "adam_update", F, "m / (1 - beta1**step)", "m"),
    # t is not counted, or too late
    ("adam-step-not-counted", STARTER, ADAM, F, '    config["t"] += 1\n', ""),
    ("adam-step-not-counted", NEW, ADAM, F, '"v": v, "t": t}', '"v": v}'),
    ("adam-step-not-counted", ELEMENT, ADAM, F,
     "t = config.get(\"t\", 0) + 1", "t = config.setdefault(\"t\", 1)"),
    ("adam-step-not-counted", CLASS, ADAM, F,
     '        self.config["t"] = self.t + 1\n        self.config["m"] =',
     '        self.config["m"] ='),
    ("adam-step-not-counted", EARLY, ADAM, F, "config['t'] = t + 1", "config['t'] = t"),
    ("adam-step-not-counted", EARLY, ADAM, F,
     "  m_hat =", "  # modify t _before_ using it in any calculations\n  m_hat ="),
    ("adam-step-not-counted", COMPACT, ADAM, F,
     "config.update(m=m, v=v, t=t)", "config.update(m=m, v=v)"),
    # another power of beta
    ("adam-bias-power", STARTER, ADAM, F,
     'config["beta1"] ** config["t"]', 'config["beta1"] ** (config["t"] + 1)'),
    ("adam-bias-power", PLACE, ADAM, F, "(1 - b2**t)", "(1 - b2)"),
    ("adam-bias-power", SINGLE, ADAM, F,
     '1 - b1 ** config["t"], 1 - b2 ** config["t"]', '1 - b1 * config["t"], 1 - b2 * config["t"]'),
    ("adam-bias-power", ELEMENT, ADAM, F,
     "(1 - math.pow(beta1, t))", "math.pow(1 - beta1, t)"),
    ("adam-bias-power", OWN, "adam_update", F,
     "m / (1 - beta1**step)\n    s_hat = s / (1 - beta2**step)",
     "m / (1 - beta1 ** (step - 1))\n    s_hat = s / (1 - beta2 ** (step - 1))"),
    ("adam-bias-power", FEW, "adam_update", F,
     "1 - beta2**step)\n    w -= lr * root / (1 - beta1**step)",
     "1 - beta2 ** (2 * step))\n    w -= lr * root / (1 - beta1 ** (2 * step))"),
]
