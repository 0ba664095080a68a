"""Planted faults of batch norm, dropout and softmax: single edits of correct submissions.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

F, B, E = "wrong-forward", "wrong-backward", "error"

ALT = "batchnorm_backward_alt_cs231n.py"
STAGED = "batchnorm_staged_graph_cs231n.py"
PLAIN = "batchnorm_plain_python_cs231n.py"
DIRECT = "spatial_batchnorm_direct_cs231n.py"
TRANSPOSE = "spatial_batchnorm_transpose_cs231n.py"
ACCUMULATE = "spatial_batchnorm_accumulate_cs231n.py"
LOOP = "batchnorm_channel_loop_minicnn.py"
FLAT = "batchnorm_flat_rows_minicnn.py"
PAPER = "batchnorm_paper_equations_minicnn.py"
EINSUM = "batchnorm_einsum_minicnn.py"
JACOBIAN = "batchnorm_jacobian_minicnn.py"
CLOSURE = "batchnorm_closure_minicnn.py"
RECOMPUTE = "batchnorm_recompute_minicnn.py"
D_BOOL = "dropout_boolean_mask_minicnn.py"
D_CLASS = "dropout_cache_class_minicnn.py"
D_SCALED = "dropout_scaled_mask_cs231n.py"
D_ELEMENT = "dropout_elementwise_cs231n.py"
D_BINOMIAL = "dropout_binomial_cs231n.py"
S_LSE = "softmax_logsumexp_minicnn.py"
S_TARGET = "softmax_target_matrix_minicnn.py"
S_ROW = "softmax_row_by_row_minicnn.py"
S_VECTOR = "softmax_loss_vectorised_cs231n.py"
S_LOOPS = "softmax_loss_loops_cs231n.py"
S_LOGADD = "softmax_loss_logaddexp_cs231n.py"

BN_F, BN_B, BN_ALT = "batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"
SBN_F, SBN_B = "spatial_batchnorm_forward", "spatial_batchnorm_backward"
DO_F, DO_B = "dropout_forward", "dropout_backward"
CE_F, CE_B = "softmax_cross_entropy_forward", "softmax_cross_entropy_backward"
LOSS = "softmax_loss"

PLANTED = [
    # the term through the mean is lacking
    ("bn-missing-mean-term", STAGED, BN_B, B, "dx = dx1 + dx2  # step 0", "dx = dx1  # step 0"),
    ("bn-missing-mean-term", ALT, BN_B, B, "    dx = dx + dmean / N\n", ""),
    ("bn-missing-mean-term", ALT, BN_ALT, B, "(N * dout - dbeta - x_norm", "(N * dout - x_norm"),
    ("bn-missing-mean-term", CLOSURE, BN_B, B, "centred = dy - _mean(dy)\n", "centred = dy\n"),
    ("bn-missing-mean-term", TRANSPOSE, BN_B, B,
     "dx = d_x_mu - d_x_mu.mean(axis=0)", "dx = d_x_mu"),
    ("bn-missing-mean-term", JACOBIAN, BN_B, B, "            J -= 1.0 / M\n", ""),
    ("bn-missing-mean-term", PLAIN, BN_B, B, "            term -= dbeta[j] / N\n", ""),
    # the term through the variance is lacking
    ("bn-missing-variance-term", STAGED, BN_B, B, "dx1 = dxmu1 + dxmu2 ", "dx1 = dxmu1 "),
    ("bn-missing-variance-term", LOOP, BN_B, B,
     "            d = d - xhat * dgamma[c] / m\n", ""),
    ("bn-missing-variance-term", PAPER, BN_B, B,
     "    dl_dx = dl_dx + dl_dvar * 2 * (x - mu) / m\n", ""),
    ("bn-missing-variance-term", EINSUM, BN_B, B,
     'dz - mean_dz - np.einsum("nc,c->nc", z, mean_dz_z)', "dz - mean_dz"),
    ("bn-missing-variance-term", DIRECT, SBN_B, B, " + 2.0 / m * diff * dvar", ""),
    ("bn-missing-variance-term", RECOMPUTE, BN_B, B, " - sum1 - xh * sum2)", " - sum1)"),
    # both are lacking
    ("bn-statistics-constant", PLAIN, BN_B, B,
     "            term -= dbeta[j] / N\n            term -= x_hat[i, j] * dgamma[j] / N\n", ""),
    ("bn-statistics-constant", FLAT, BN_B, B, "(rows - through_mean - through_var)", "rows"),
    ("bn-statistics-constant", DIRECT, SBN_B, B,
     "dx = dxn * inv + 2.0 / m * diff * dvar + dmu / m", "dx = dxn * inv"),
    ("bn-statistics-constant", STAGED, BN_B, B, "dx = dx1 + dx2  # step 0", "dx = dxmu1"),
    ("bn-statistics-constant", RECOMPUTE, BN_B, B,
     "dx = (n * dxh - sum1 - xh * sum2) / (n * np.sqrt(var + eps))",
     "dx = dxh / np.sqrt(var + eps)"),
    ("bn-statistics-constant", TRANSPOSE, BN_B, B,
     'if mode == "test":\n        return dx_hat',
     'if mode in ("train", "test"):\n        return dx_hat'),
    # the sign of the variance term
    ("bn-variance-term-sign", STAGED, BN_B, B,
     "dsqrtvar = -1.0 / (sqrtvar ** 2)", "dsqrtvar = 1.0 / (sqrtvar ** 2)"),
    ("bn-variance-term-sign", PAPER, BN_B, B, "* -0.5 * v ** -1.5", "* 0.5 * v ** -1.5"),
    ("bn-variance-term-sign", ALT, BN_ALT, B,
     "dbeta - x_norm * dgamma)", "dbeta + x_norm * dgamma)"),
    ("bn-variance-term-sign", ACCUMULATE, SBN_B, B,
     "- dbeta[c] - xhat[n, c]", "- dbeta[c] + xhat[n, c]"),
    ("bn-variance-term-sign", TRANSPOSE, BN_B, B, "d_var = -0.5 *", "d_var = 0.5 *"),
    ("bn-variance-term-sign", JACOBIAN, BN_B, B, "J -= np.outer", "J += np.outer"),
    ("bn-variance-term-sign", CLOSURE, BN_B, B, "(centred - xhat *", "(centred + xhat *"),
    # gamma forgotten
    ("bn-gamma-missing", STAGED, BN_B, B, "dxhat = dgammax * gamma", "dxhat = dgammax"),
    ("bn-gamma-missing", CLOSURE, BN_B, B, "dx = gamma * r * (", "dx = r * ("),
    ("bn-gamma-missing", JACOBIAN, BN_B, B, "gamma[c] / std[c] * (J", "1 / std[c] * (J"),
    ("bn-gamma-missing", ACCUMULATE, SBN_B, B, "cache.gamma[c] * inner", "inner"),
    ("bn-gamma-missing", EINSUM, BN_B, B,
     'dz = np.einsum("nc,c->nc", g, gamma)', "dz = g"),
    ("bn-gamma-missing", FLAT, BN_B, B,
     "scale = cache.gamma * cache.inv_std", "scale = cache.inv_std"),
    ("bn-gamma-missing", ALT, BN_ALT, B, "dx = gamma / (N * std)", "dx = 1 / (N * std)"),
    # gamma twice
    ("bn-gamma-squared", ALT, BN_B, B,
     "dx = dx + dmean / N", 'dx = cache["gamma"] * (dx + dmean / N)'),
    ("bn-gamma-squared", RECOMPUTE, BN_B, B,
     "dx = (n * dxh - sum1", "dx = gamma * (n * dxh - sum1"),
    ("bn-gamma-squared", EINSUM, BN_B, B,
     'dx = np.einsum("nc,c->nc", dz, rstd)',
     'dx = np.einsum("nc,c,c->nc", dz, gamma, rstd)'),
    ("bn-gamma-squared", TRANSPOSE, BN_B, B,
     "dx = d_x_mu - d_x_mu.mean(axis=0)", "dx = gamma * (d_x_mu - d_x_mu.mean(axis=0))"),
    ("bn-gamma-squared", DIRECT, SBN_B, B,
     "diff * dvar + dmu / m\n", "diff * dvar + dmu / m\n    dx *= per_channel(gamma)\n"),
    ("bn-gamma-squared", FLAT, BN_B, B,
     "    scale = cache.gamma * cache.inv_std",
     "    rows = rows * cache.gamma\n    scale = cache.gamma * cache.inv_std"),
    # a wrong divisor
    ("bn-wrong-count", DIRECT, SBN_B, B, "m = N * H * W", "m = N"),
    ("bn-wrong-count", ACCUMULATE, SBN_B, B,
     "N, C, H, W = dout.shape\n    count = N * H * W",
     "N, C, H, W = dout.shape\n    count = H * W"),
    ("bn-wrong-count", PAPER, BN_B, B, "m = x.size // x.shape[-1]", "m = x.shape[0]"),
    ("bn-wrong-count", EINSUM, BN_F, F, "count = x.size / x.shape[-1]", "count = x.size"),
    ("bn-wrong-count", PLAIN, BN_B, B,
     "term -= dbeta[j] / N\n            term -= x_hat[i, j] * dgamma[j] / N",
     "term -= dbeta[j] / (N - 1)\n            term -= x_hat[i, j] * dgamma[j] / (N - 1)"),
    ("bn-wrong-count", ALT, BN_ALT, B, "N = len(dout)", "N = dout.size"),
    ("bn-wrong-count", STAGED, BN_F, F,
     "mu = 1.0 / N * np.sum(x, axis=0)", "mu = 1.0 / (N - 1) * np.sum(x, axis=0)"),
    ("bn-wrong-count", JACOBIAN, BN_B, B,
     "J -= 1.0 / M\n            J -= np.outer(xn[c], xn[c]) / M",
     "J -= 1.0 / len(dy)\n            J -= np.outer(xn[c], xn[c]) / len(dy)"),
    # sums for means
    ("bn-sum-for-mean", CLOSURE, BN_B, B,
     "centred = dy - _mean(dy)\n        dx = gamma * r * (centred - xhat * _mean(dy * xhat))",
     "centred = dy - _sum(dy)\n        dx = gamma * r * (centred - xhat * _sum(dy * xhat))"),
    ("bn-sum-for-mean", LOOP, BN_B, B,
     "d = d - dbeta[c] / m\n            d = d - xhat * dgamma[c] / m",
     "d = d - dbeta[c]\n            d = d - xhat * dgamma[c]"),
    ("bn-sum-for-mean", FLAT, BN_B, B, "through_mean = rows.mean(axis=0)", "through_mean = dbeta"),
    ("bn-sum-for-mean", PLAIN, BN_F, F, "mean += x[i, j] / N", "mean += x[i, j]"),
    ("bn-sum-for-mean", TRANSPOSE, BN_B, B, "d_x_mu.mean(axis=0)", "d_x_mu.sum(axis=0)"),
    ("bn-sum-for-mean", STAGED, BN_B, B,
     "dx2 = 1.0 / N * np.ones((N, D)) * dmu", "dx2 = np.ones((N, D)) * dmu"),
    ("bn-sum-for-mean", ACCUMULATE, SBN_F, F, "        mean /= count\n", ""),
    ("bn-sum-for-mean", DIRECT, SBN_B, B, "2.0 / m * diff * dvar", "2.0 * diff * dvar"),
    # statistics over the wrong axes
    ("bn-wrong-axes", ALT, BN_F, F,
     "mean = np.mean(x, axis=0)\n        var = np.var(x, axis=0)",
     "mean = np.mean(x, axis=1, keepdims=True)\n        var = np.var(x, axis=1, keepdims=True)"),
    ("bn-wrong-axes", FLAT, BN_F, F,
     "mean = rows.mean(axis=0)\n        var = rows.var(axis=0)\n",
     "mean = rows.mean()\n        var = rows.var()\n"),
    ("bn-wrong-axes", STAGED, BN_F, F,
     "mu = 1.0 / N * np.sum(x, axis=0)  # step 1: mean\n"
     "        xmu = x - mu  # step 2: centre\n        sq = xmu ** 2  # step 3: square\n"
     "        var = 1.0 / N * np.sum(sq, axis=0)",
     "mu = 1.0 / D * np.sum(x, axis=1)[:, None]  # step 1: mean\n"
     "        xmu = x - mu  # step 2: centre\n        sq = xmu ** 2  # step 3: square\n"
     "        var = 1.0 / D * np.sum(sq, axis=1)[:, None]"),
    ("bn-wrong-axes", LOOP, BN_F, F,
     "mu = values.sum() / m\n            var = ((values - mu) ** 2).sum() / m",
     "mu = x.mean()\n            var = ((x - mu) ** 2).mean()"),
    ("bn-wrong-axes", TRANSPOSE, SBN_F, F,
     "flat = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)\n"
     "    out, cache = batchnorm_forward(flat, gamma, beta, bn_param)\n"
     "    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache",
     "flat = x.reshape(N * H * W, C)\n"
     "    out, cache = batchnorm_forward(flat, gamma, beta, bn_param)\n"
     "    return out.reshape(N, C, H, W), cache"),
    ("bn-wrong-axes", RECOMPUTE, BN_F, E,
     "over = tuple(range(x.ndim - 1))\n    return np.mean",
     "over = tuple(range(1, x.ndim - 1))\n    return np.mean"),
    ("bn-wrong-axes", DIRECT, SBN_F, E, "AXES = (0, 2, 3)", "AXES = (2, 3)"),
    ("bn-wrong-axes", PAPER, BN_F, E,
     "mu_B = np.mean(x, axis=axes)\n        sigma2_B = np.mean((x - mu_B) ** 2, axis=axes)",
     "mu_B = np.mean(x, axis=0)\n        sigma2_B = np.mean((x - mu_B) ** 2, axis=0)"),
    # variance for standard deviation, or the reverse
    ("bn-std-power", ALT, BN_F, F, "std = np.sqrt(var + eps)", "std = var + eps"),
    ("bn-std-power", TRANSPOSE, BN_F, F,
     "inv_std = (sample_var + eps) ** -0.5", "inv_std = 1 / (sample_var + eps)"),
    ("bn-std-power", EINSUM, BN_F, F, "np.power(var + eps, -0.5)", "np.power(var + eps, -1.0)"),
    ("bn-std-power", LOOP, BN_B, B, "d = d * gamma[c] / std", "d = d * gamma[c] / std**2"),
    ("bn-std-power", RECOMPUTE, BN_B, B, "/ (n * np.sqrt(var + eps))", "/ (n * (var + eps))"),
    ("bn-std-power", DIRECT, SBN_B, B, "* (-0.5) * inv**3", "* (-0.5) * inv**1.5"),
    ("bn-std-power", STAGED, BN_B, B,
     "dsqrtvar = -1.0 / (sqrtvar ** 2)", "dsqrtvar = -1.0 / ((var + eps) ** 2)"),
    ("bn-std-power", PLAIN, BN_B, B, "* term / std[j]", "* term / math.sqrt(std[j])"),
    # eps
    ("bn-eps-missing", ALT, BN_F, F, "np.sqrt(var + eps)", "np.sqrt(var)"),
    ("bn-eps-missing", PLAIN, BN_F, F, "math.sqrt(var + eps)", "math.sqrt(var) + eps"),
    ("bn-eps-missing", CLOSURE, BN_F, F,
     "r = 1 / np.sqrt(var + eps)", "r = 1 / (np.sqrt(var) + eps)"),
    ("bn-eps-missing", RECOMPUTE, BN_F, F,
     "return (x - mean) / np.sqrt(var + eps)", "return (x - mean) / np.sqrt(var)"),
    ("bn-eps-missing", ACCUMULATE, SBN_F, F,
     'np.sqrt(var + bn_param.get("eps", 1e-5))', "np.sqrt(var)"),
    ("bn-eps-missing", EINSUM, BN_F, F, "np.power(var + eps, -0.5)", "np.power(var + 1e-5, -0.5)"),
    ("bn-eps-missing", DIRECT, SBN_F, F,
     "np.sqrt(per_channel(rv) + eps)", "np.sqrt(per_channel(rv))"),
    ("bn-eps-missing", PAPER, BN_B, B, 'cache["var"] + cache["eps"]', 'cache["var"]'),
    ("bn-eps-missing", STAGED, BN_B, B,
     "dvar = 0.5 * 1.0 / np.sqrt(var + eps)", "dvar = 0.5 * 1.0 / np.sqrt(var)"),
    # the N - 1 variance
    ("bn-unbiased-variance", ALT, BN_F, F, "np.var(x, axis=0)", "np.var(x, axis=0, ddof=1)"),
    ("bn-unbiased-variance", LOOP, BN_F, F,
     "((values - mu) ** 2).sum() / m", "((values - mu) ** 2).sum() / (m - 1)"),
    ("bn-unbiased-variance", EINSUM, BN_F, F,
     "centred, centred) / count", "centred, centred) / (count - 1)"),
    ("bn-unbiased-variance", DIRECT, SBN_F, F,
     "np.mean(diff**2, axis=AXES, keepdims=True)",
     "np.sum(diff**2, axis=AXES, keepdims=True) / (x.size // C - 1)"),
    ("bn-unbiased-variance", JACOBIAN, BN_F, F,
     "var = cols.var(axis=1)\n",
     "var = np.square(cols - mean[:, None]).sum(axis=1) / (cols.shape[1] - 1)\n"),
    ("bn-unbiased-variance", TRANSPOSE, BN_F, F,
     "sample_var = x.var(0)", "sample_var = x.std(0, ddof=1) ** 2"),
    # dgamma with the wrong factor
    ("bn-dgamma-not-normalized", ALT, BN_B, B, '(dout * cache["x_norm"])', "(dout * x)"),
    ("bn-dgamma-not-normalized", STAGED, BN_B, B, "dgammax * xhat, axis", "dgammax * xmu, axis"),
    ("bn-dgamma-not-normalized", PAPER, BN_B, B, "np.sum(dy * x_hat,", "np.sum(dy * x,"),
    ("bn-dgamma-not-normalized", DIRECT, SBN_B, B, "np.sum(dout * xn,", "np.sum(dout * diff,"),
    ("bn-dgamma-not-normalized", RECOMPUTE, BN_B, B,
     "np.sum(dy * xh, axis=over)", "np.sum(dy * (x - mean), axis=over)"),
    ("bn-dgamma-not-normalized", CLOSURE, BN_B, B,
     "return dx, _sum(dy * xhat), _sum(dy)", "return dx, _sum(dy * x), _sum(dy)"),
    # dgamma or dbeta reduced in the wrong way
    ("bn-dgamma-wrong-reduction", ALT, BN_B, B,
     "dbeta = dout.sum(axis=0)\n\n", "dbeta = dout.mean(axis=0)\n\n"),
    ("bn-dgamma-wrong-reduction", DIRECT, SBN_B, B, "np.sum(dout * xn,", "np.mean(dout * xn,"),
    ("bn-dgamma-wrong-reduction", DIRECT, SBN_B, E,
     "dbeta = np.sum(dout, axis=AXES)", "dbeta = np.sum(dout, axis=(0, 2))"),
    ("bn-dgamma-wrong-reduction", PAPER, BN_B, E,
     "dl_dgamma = np.sum(dy * x_hat, axis=axes)\n    dl_dbeta = np.sum(dy, axis=axes)",
     "dl_dgamma = np.sum(dy * x_hat, axis=0)\n    dl_dbeta = np.sum(dy, axis=0)"),
    ("bn-dgamma-wrong-reduction", CLOSURE, BN_B, B,
     "return dx, _sum(dy * xhat), _sum(dy)", "return dx, _mean(dy * xhat), _mean(dy)"),
    ("bn-dgamma-wrong-reduction", EINSUM, BN_B, B,
     "return dx.reshape(dy.shape), dgamma, dbeta",
     "return dx.reshape(dy.shape), dgamma / len(dy), dbeta / len(dy)"),
    ("bn-dgamma-wrong-reduction", TRANSPOSE, SBN_B, B,
     "return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta",
     "dgamma, dbeta = dgamma / (H * W), dbeta / (H * W)\n"
     "    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta"),
    # running statistics stand still
    ("bn-running-not-updated", STAGED, BN_F, F,
     '    bn_param["running_mean"] = running_mean\n    bn_param["running_var"] = running_var\n',
     ""),
    ("bn-running-not-updated", JACOBIAN, BN_F, F,
     "running_mean[...] = momentum * running_mean + (1 - momentum) * mean\n"
     "        running_var[...] =",
     "running_mean = momentum * running_mean + (1 - momentum) * mean\n"
     "        running_var ="),
    ("bn-running-not-updated", EINSUM, BN_F, F,
     "        running_mean += (1 - momentum) * (mean - running_mean)\n"
     "        running_var += (1 - momentum) * (new_var - running_var)\n", ""),
    ("bn-running-not-updated", PLAIN, BN_F, F,
     'bn_param["running_mean"] = r_mean\n    bn_param["running_var"] = r_var',
     'bn_param["running_mean"] = bn_param.get("running_mean", np.zeros(D))\n'
     '    bn_param["running_var"] = bn_param.get("running_var", np.zeros(D))'),
    ("bn-running-not-updated", DIRECT, SBN_F, F,
     'bn_param["running_mean"] = momentum * rm + (1 - momentum) * mu.reshape(C)\n'
     '    bn_param["running_var"] =',
     'rm = momentum * rm + (1 - momentum) * mu.reshape(C)\n    rv ='),
    ("bn-running-not-updated", PAPER, BN_F, F,
     "running_mean[:] = running_mean * momentum + mu_B * (1 - momentum)\n"
     "        running_var[:] =",
     "new_mean = running_mean * momentum + mu_B * (1 - momentum)\n"
     "        new_var ="),
    # the weights of old and new exchanged
    ("bn-running-momentum-swapped", STAGED, BN_F, F,
     "running_mean = momentum * running_mean + (1 - momentum) * mu\n"
     "        running_var = momentum * running_var + (1 - momentum) * var",
     "running_mean = (1 - momentum) * running_mean + momentum * mu\n"
     "        running_var = (1 - momentum) * running_var + momentum * var"),
    ("bn-running-momentum-swapped", EINSUM, BN_F, F,
     "(1 - momentum) * (mean - running_mean)\n        running_var += (1 - momentum) *",
     "momentum * (mean - running_mean)\n        running_var += momentum *"),
    ("bn-running-momentum-swapped", RECOMPUTE, BN_F, F,
     "old, new = momentum, 1 - momentum", "old, new = 1 - momentum, momentum"),
    ("bn-running-momentum-swapped", ACCUMULATE, SBN_F, F,
     "momentum * bn_param[key] + (1 - momentum) * value",
     "momentum * value + (1 - momentum) * bn_param[key]"),
    ("bn-running-momentum-swapped", TRANSPOSE, BN_F, F,
     'decay = bn_param.get("momentum", 0.9)', 'decay = 1 - bn_param.get("momentum", 0.9)'),
    # evaluation with the batch's statistics
    ("bn-eval-uses-batch", ALT, BN_F, F,
     'mean = bn_param["running_mean"]\n        var = bn_param["running_var"]',
     "mean = x.mean(axis=0)\n        var = x.var(axis=0)"),
    ("bn-eval-uses-batch", LOOP, BN_F, F,
     "mu = running_mean[c]\n            var = running_var[c]",
     "mu = values.mean()\n            var = values.var()"),
    ("bn-eval-uses-batch", RECOMPUTE, BN_F, F,
     "mean, var = running_mean, running_var\n", "mean, var = statistics(x)\n"),
    ("bn-eval-uses-batch", DIRECT, SBN_F, F,
     "xn = (x - per_channel(rm)) / np.sqrt(per_channel(rv) + eps)",
     "xn = x - x.mean(axis=AXES, keepdims=True)\n"
     "        xn = xn / np.sqrt(x.var(axis=AXES, keepdims=True) + eps)"),
    ("bn-eval-uses-batch", PLAIN, BN_F, F,
     'if bn_param["mode"] == "train":', 'if bn_param["mode"]:'),
    ("bn-eval-uses-batch", EINSUM, BN_F, F,
     "if training:\n        mean = total(a)", "if training is not None:\n        mean = total(a)"),
    # dropout: the kept elements are not scaled up
    ("dropout-not-scaled", D_BOOL, DO_F, F, "    y = y / keep_prob\n", ""),
    ("dropout-not-scaled", D_SCALED, DO_F, F, "(np.random.rand(*x.shape) < p) / p",
     "np.random.rand(*x.shape) < p"),
    ("dropout-not-scaled", D_ELEMENT, DO_F, F,
     "out[index] = x[index] / keep", "out[index] = x[index]"),
    ("dropout-not-scaled", D_CLASS, DO_F, F, "factor = 1 / (1 - rate)", "factor = 1"),
    ("dropout-not-scaled", D_BINOMIAL, DO_F, F,
     "kept == 1, values / p, 0.0", "kept == 1, values, 0.0"),
    # dropout: evaluation is not the identity
    ("dropout-scaled-in-eval", D_BOOL, DO_F, F,
     "return x, (None, 1.0)", "return x * (1 - rate), (None, 1.0)"),
    ("dropout-scaled-in-eval", D_BOOL, DO_F, F, "if not training or rate == 0:", "if rate == 0:"),
    ("dropout-scaled-in-eval", D_SCALED, DO_F, F, "        out = x\n", "        out = x * p\n"),
    ("dropout-scaled-in-eval", D_BINOMIAL, DO_F, F, "out = x * 1.0", "out = scale_kept(x, 1, p)"),
    ("dropout-scaled-in-eval", D_ELEMENT, DO_F, F,
     '    if dropout_param["mode"] == "test":\n        return x.copy(), {"mode": "test"}\n', ""),
    ("dropout-scaled-in-eval", D_CLASS, DO_F, F,
     "state = DropoutState(nothing, 1)", "state = DropoutState(nothing, 1 - rate)"),
    # dropout: backward with another mask, or none
    ("dropout-new-mask-in-backward", D_BOOL, DO_B, B,
     "return dy * mask / keep_prob", "return dy / keep_prob"),
    ("dropout-new-mask-in-backward", D_BOOL, DO_B, B,
     "    return dy * mask / keep_prob",
     "    mask = np.random.random(np.shape(dy)) < keep_prob\n    return dy * mask / keep_prob"),
    ("dropout-new-mask-in-backward", D_SCALED, DO_B, B,
     "dx = dout * mask",
     'p = dropout_param["p"]\n        dx = dout * (np.random.rand(*dout.shape) < p) / p'),
    ("dropout-new-mask-in-backward", D_SCALED, DO_B, B, "dx = dout * mask", "dx = dout"),
    ("dropout-new-mask-in-backward", D_CLASS, DO_B, B,
     "dx = cache.apply(dy)", "dx = np.asarray(dy) * cache.factor"),
    ("dropout-new-mask-in-backward", D_BINOMIAL, DO_B, B,
     "    return scale_kept(dout, kept, p)",
     "    kept = np.random.binomial(1, p, size=dout.shape)\n    return scale_kept(dout, kept, p)"),
    ("dropout-new-mask-in-backward", D_ELEMENT, DO_B, B,
     'for index in cache["kept"]:', "for index in np.ndindex(*dout.shape):"),
    # dropout: the rate is read as its complement
    ("dropout-keep-drop-swapped", D_BOOL, DO_F, F, "keep_prob = 1.0 - rate", "keep_prob = rate"),
    ("dropout-keep-drop-swapped", D_SCALED, DO_F, F, "< p) / p", "> p) / (1 - p)"),
    ("dropout-keep-drop-swapped", D_ELEMENT, DO_F, F,
     'keep = dropout_param["p"]', 'keep = 1 - dropout_param["p"]'),
    ("dropout-keep-drop-swapped", D_CLASS, DO_F, F,
     "< rate\n        factor = 1 / (1 - rate)", "< 1 - rate\n        factor = 1 / rate"),
    ("dropout-keep-drop-swapped", D_BINOMIAL, DO_F, F,
     "random.binomial(1, p, size", "random.binomial(1, 1 - p, size"),
    # softmax: large logits
    ("softmax-overflow", S_LSE, "softmax", F, "e = np.exp(x - top)", "e = np.exp(x)"),
    ("softmax-overflow", S_LSE, CE_F, F,
     "z = logits - logits.max(axis=1, keepdims=True)", "z = logits"),
    ("softmax-overflow", S_TARGET, CE_F, F,
     "np.amax(logits, axis=-1, keepdims=True)", "np.amin(logits, axis=-1, keepdims=True)"),
    ("softmax-overflow", S_ROW, CE_F, F, "m = row.max()", "m = row[0]"),
    ("softmax-overflow", S_ROW, "softmax", E, "math.exp(value - biggest)", "math.exp(value)"),
    ("softmax-overflow", S_VECTOR, LOSS, F,
     "shifted = x - np.max(x, axis=1, keepdims=True)", "shifted = x.copy()"),
    ("softmax-overflow", S_LOOPS, LOSS, F, "scores = x[i] - np.max(x[i])", "scores = x[i]"),
    ("softmax-overflow", S_LOGADD, LOSS, F,
     "np.logaddexp.reduce(x, axis=1)", "np.log(np.sum(np.exp(x), axis=1))"),
    # softmax: no mean over the batch
    ("softmax-missing-mean", S_LSE, CE_F, F,
     "loss = losses.sum() / w[labels].sum()", "loss = losses.sum()"),
    ("softmax-missing-mean", S_LSE, CE_B, B,
     "return dloss * dlogits / w[labels].sum()", "return dloss * dlogits"),
    ("softmax-missing-mean", S_TARGET, CE_B, B, '    grad = grad / cache["total"]\n', ""),
    ("softmax-missing-mean", S_ROW, CE_F, F, "    loss = loss / norm\n", ""),
    ("softmax-missing-mean", S_VECTOR, LOSS, B, "    dx /= N\n", ""),
    ("softmax-missing-mean", S_LOOPS, LOSS, F, "    loss /= num\n    dx /= num\n", ""),
    ("softmax-missing-mean", S_LOGADD, LOSS, F,
     "np.mean(log_norm - correct)", "np.sum(log_norm - correct)"),
    # softmax: the gradient lacks -1 at the label
    ("softmax-gradient-no-onehot", S_LSE, CE_B, B, "    hard[np.arange(N), labels] -= 1\n", ""),
    ("softmax-gradient-no-onehot", S_TARGET, CE_B, B,
     "grad = mass * probabilities - targets", "grad = mass * probabilities"),
    ("softmax-gradient-no-onehot", S_ROW, CE_B, B, "if c == labels[n]", "if c is labels[n]"),
    ("softmax-gradient-no-onehot", S_VECTOR, LOSS, B,
     "dx[np.arange(N), y] -= 1", "dx[np.arange(N)][:, y] -= 1"),
    ("softmax-gradient-no-onehot", S_LOOPS, LOSS, B, "dx[i, j] -= 1", "dx[i, j] - 1"),
    ("softmax-gradient-no-onehot", S_LOGADD, LOSS, B, "(p - one_hot(y, C)) / N", "p / N"),
    # softmax: the logarithm of a probability that became 0
    ("softmax-log-of-zero", S_LSE, CE_F, F,
     "log_p = z - log_sum ", "log_p = np.log(softmax(logits)) "),
    ("softmax-log-of-zero", S_TARGET, CE_F, F,
     "return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))",
     "e = np.exp(shifted)\n    return np.log(e / np.sum(e, axis=-1, keepdims=True))"),
    ("softmax-log-of-zero", S_ROW, CE_F, F,
     "surprise = math.log(denominator) + m - row ", "surprise = -np.log(probs[n]) "),
    ("softmax-log-of-zero", S_VECTOR, LOSS, F,
     "log_probs = shifted - np.log(Z)", "log_probs = np.log(np.exp(shifted) / Z)"),
    ("softmax-log-of-zero", S_LOOPS, LOSS, F,
     "loss += np.log(denom) - scores[y[i]]", "loss -= np.log(exps[y[i]] / denom)"),
    ("softmax-log-of-zero", S_LOGADD, LOSS, F,
     "np.mean(log_norm - correct)", "-np.mean(np.log(np.exp(correct - log_norm)))"),
]
