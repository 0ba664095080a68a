"""Planted faults of batch norm, layer norm and group norm: single edits of correct submissions.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

F, B, E = "wrong-forward", "wrong-backward", "error"

ALT = "batchnorm_backward_alt_cs231n.py"
STAGED = "batchnorm_staged_graph_cs231n.py"
PLAIN = "batchnorm_plain_python_cs231n.py"
KEPT = "batchnorm_kept_axis_cs231n.py"
IN_PLACE = "batchnorm_in_place_running_cs231n.py"
DIRECT = "spatial_batchnorm_direct_cs231n.py"
TRANSPOSE = "spatial_batchnorm_transpose_cs231n.py"
ACCUMULATE = "spatial_batchnorm_accumulate_cs231n.py"
KEPT_IMAGES = "spatial_batchnorm_kept_axes_cs231n.py"
LOOP = "batchnorm_channel_loop_minicnn.py"
FLAT = "batchnorm_flat_rows_minicnn.py"
PAPER = "batchnorm_paper_equations_minicnn.py"
EINSUM = "batchnorm_einsum_minicnn.py"
JACOBIAN = "batchnorm_jacobian_minicnn.py"
CLOSURE = "batchnorm_closure_minicnn.py"
RECOMPUTE = "batchnorm_recompute_minicnn.py"

TURNED = "layernorm_transposed_cs231n.py"
FLAG = "layernorm_calls_batchnorm_cs231n.py"
GRAPH = "layernorm_graph_cs231n.py"
ROWS = "layernorm_row_loop_cs231n.py"
FIVE = "groupnorm_five_axes_cs231n.py"
BLOCKS = "groupnorm_group_loop_cs231n.py"
STAGES = "groupnorm_rows_staged_cs231n.py"
ONE_GROUP = "layernorm_groupnorm_minicnn.py"
SAMPLES = "layernorm_flat_rows_minicnn.py"
SLICES = "groupnorm_channel_slices_minicnn.py"

BN_F, BN_B, BN_ALT = "batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"
SBN_F, SBN_B = "spatial_batchnorm_forward", "spatial_batchnorm_backward"
LN_F, LN_B = "layernorm_forward", "layernorm_backward"
SGN_F, SGN_B = "spatial_groupnorm_forward", "spatial_groupnorm_backward"
GN_F, GN_B = "groupnorm_forward", "groupnorm_backward"

PLANTED = [
    # evaluation without gamma and beta
    ("bn-eval-without-affine", STAGED, BN_F, F,
     "        xhat = (x - running_mean) / np.sqrt(running_var + eps)\n"
     "        out = gamma * xhat + beta\n",
     "        out = (x - running_mean) / np.sqrt(running_var + eps)\n"),
    ("bn-eval-without-affine", DIRECT, SBN_F, F,
     "return per_channel(gamma) * xn + per_channel(beta), None",
     "return per_channel(gamma) * xn, None"),
    ("bn-eval-without-affine", CLOSURE, BN_F, F,
     "return gamma * xhat + beta, pull_back\n\n    mu", "return xhat + beta, pull_back\n\n    mu"),
    ("bn-eval-without-affine", KEPT_IMAGES, SBN_F, F,
     "        normed = (x - running_mean) / np.sqrt(running_var + eps)\n"
     "        out = scale * normed + shift\n",
     "        out = (x - running_mean) / np.sqrt(running_var + eps)\n"),
    # the running statistics become the batch's
    ("bn-running-replaced", STAGED, BN_F, F,
     "running_mean = momentum * running_mean + (1 - momentum) * mu\n"
     "        running_var = momentum * running_var + (1 - momentum) * var",
     "running_mean = mu\n        running_var = var"),
    ("bn-running-replaced", ACCUMULATE, SBN_F, F,
     "bn_param[key] = momentum * bn_param[key] + (1 - momentum) * value", "bn_param[key] = value"),
    ("bn-running-replaced", RECOMPUTE, BN_F, F,
     "running_var[:] = old * running_var + new * keep * var.ravel()",
     "running_var[:] = keep * var.ravel()"),
    ("bn-running-replaced", KEPT, BN_F, F,
     "momentum * old_mean + (1 - momentum) * mean", "momentum * mean + (1 - momentum) * mean"),
    # the running variance gathers eps
    ("bn-running-var-with-eps", PAPER, BN_F, F,
     "running_var * momentum + sigma2_run * (1 - momentum)",
     "running_var * momentum + (sigma2_run + eps) * (1 - momentum)"),
    ("bn-running-var-with-eps", STAGED, BN_F, F,
     "(1 - momentum) * var\n", "(1 - momentum) * sqrtvar ** 2\n"),
    ("bn-running-var-with-eps", KEPT_IMAGES, SBN_F, F,
     "(1 - momentum) * batch_var\n", "(1 - momentum) * root * root\n"),
    # dx value by value
    ("bn-terms-not-summed", STAGED, BN_B, B,
     "divar = np.sum(dxhat * xmu, axis=0)  # step 7", "divar = dxhat * xmu  # step 7"),
    ("bn-terms-not-summed", PAPER, BN_B, B,
     "dl_dmu = np.sum(dl_dxhat, axis=axes) * -1 / np.sqrt(v)\n",
     "dl_dmu = dl_dxhat * -1 / np.sqrt(v)\n"),
    ("bn-terms-not-summed", DIRECT, SBN_B, B,
     "dmu = -np.sum(dxn * inv, axis=AXES, keepdims=True)", "dmu = -(dxn * inv)"),
    ("bn-terms-not-summed", TRANSPOSE, BN_B, B,
     "d_inv_std = np.sum(dx_hat * x_mu, axis=0)", "d_inv_std = dx_hat * x_mu"),
    # dx of the diagonal of the matrix of derivatives
    ("bn-diagonal-only", KEPT, BN_ALT, B,
     "jacobian.dot(dout[:, d])", "jacobian.diagonal() * dout[:, d]"),
    ("bn-diagonal-only", ALT, BN_ALT, B,
     "(N * dout - dbeta - x_norm * dgamma)", "(N - 1 - x_norm**2) * dout"),
    ("bn-diagonal-only", CLOSURE, BN_B, B,
     "        centred = dy - _mean(dy)\n"
     "        dx = gamma * r * (centred - xhat * _mean(dy * xhat))\n",
     "        dx = gamma * r * (1 - 1 / m - xhat**2 / m) * dy\n"),
    # the training formula after evaluation
    ("bn-eval-uses-batch", PAPER, BN_B, B, 'if not cache["training"]:', "if cache is None:"),
    ("bn-eval-uses-batch", LOOP, BN_B, B,
     "        if training:\n            d = d -", "        if saved:\n            d = d -"),
    ("bn-eval-uses-batch", RECOMPUTE, BN_B, B,
     "    if fixed is not None:\n        return dxh / np.sqrt(var + eps), dgamma, dbeta\n", ""),
    ("bn-eval-uses-batch", RECOMPUTE, BN_B, B,
     "statistics(x) if fixed is None else fixed", "statistics(x)"),
    # summed over some axes and averaged over others
    ("bn-dgamma-wrong-reduction", DIRECT, SBN_B, B,
     "dgamma = np.sum(dout * xn, axis=AXES)",
     "dgamma = np.sum(dout * xn, axis=0).mean(axis=(1, 2))"),
    ("bn-dgamma-wrong-reduction", KEPT_IMAGES, SBN_B, B,
     "dbeta = dout.sum(axis=(0, 2, 3))\n", "dbeta = dout.mean(axis=0).sum(axis=(1, 2))\n"),
    ("bn-dgamma-wrong-reduction", PAPER, BN_B, B,
     "dl_dbeta = np.sum(dy, axis=axes)",
     "dl_dbeta = np.mean(dy, axis=axes[:-1]).sum(axis=0) if dy.ndim > 2 else np.sum(dy, axis=0)"),
    ("bn-dgamma-wrong-reduction", FLAT, BN_B, B,
     "dbeta = rows.sum(axis=0)\n",
     "dbeta = np.asarray(dy).mean(axis=0).reshape(-1, dy.shape[-1]).sum(axis=0)\n"),
    # running statistics of a shape that evaluation cannot use
    ("axis-kept", KEPT_IMAGES, SBN_F, F,
     "normed = (x - running_mean) / np.sqrt(running_var + eps)\n        out",
     "running_mean, running_var = running_mean[:, None, None], running_var[:, None, None]\n"
     "        normed = (x - running_mean) / np.sqrt(running_var + eps)\n        out"),
    ("axis-kept", ALT, BN_F, F,
     "momentum * bn_param[\"running_var\"] + (1 - momentum) * var\n",
     "(momentum * bn_param[\"running_var\"] + (1 - momentum) * var)[:, None]\n"),
    # layer norm and group norm: statistics over the wrong axes
    ("ln-wrong-axes", SAMPLES, LN_F, F,
     "    spread = rows - rows.mean(1)[:, None]\n", "    spread = rows - rows.mean(0)\n"),
    ("ln-wrong-axes", FIVE, SGN_F, F,
     "mean = parts.mean(axis=WITHIN, keepdims=True)\n"
     "    var = parts.var(axis=WITHIN, keepdims=True)",
     "mean = parts.mean(axis=(3, 4), keepdims=True)\n"
     "    var = parts.var(axis=(3, 4), keepdims=True)"),
    ("ln-wrong-axes", STAGES, SGN_F, F,
     "xn = np.reshape(shifted * inv, (N, C, H, W))\n",
     "rows = np.reshape(x.transpose(0, 2, 3, 1), (N * G, -1))\n"
     "    rows = (rows - rows.mean(1)[:, None]) / np.sqrt(rows.var(1) + eps)[:, None]\n"
     "    xn = np.reshape(rows, (N, H, W, C)).transpose(0, 3, 1, 2)\n"),
    ("ln-wrong-axes", BLOCKS, SGN_F, F,
     "mine = slice(g * channels, (g + 1) * channels)", "mine = slice(g, None, G)"),
    ("ln-wrong-axes", FIVE, SGN_B, B,
     "dx = M * d - d.sum(axis=WITHIN, keepdims=True)",
     "dx = M * d - M * d.mean(axis=(0, 3, 4), keepdims=True)"),
    # a term is lacking
    ("ln-missing-mean-term", TURNED, LN_B, B, " + dmean / D\n", "\n"),
    ("ln-missing-mean-term", STAGES, SGN_B, B, "dshifted + dmean / m", "dshifted"),
    ("ln-missing-mean-term", SLICES, GN_B, B, "(m * part - first - z", "(m * part - z"),
    ("ln-missing-variance-term", GRAPH, LN_B, B,
     "    grad += centred * (2 * dvar / D)[:, None]\n", ""),
    ("ln-missing-variance-term", BLOCKS, SGN_B, B,
     " - normed[n] * (dn[n] * normed[n]).mean()", ""),
    ("ln-missing-variance-term", ROWS, LN_B, B, " - np.outer(z, z) / D", ""),
    # dgamma and dbeta
    ("ln-dgamma-wrong-reduction", TURNED, LN_B, E,
     "dgamma = (dout * hat.T).sum(axis=0)", "dgamma = (dout * hat.T).sum(axis=1)"),
    ("ln-dgamma-wrong-reduction", GRAPH, LN_B, B,
     "np.einsum(\"nd,nd->d\", dout, normal)", "np.einsum(\"nd,nd->d\", dout, normal) / N"),
    ("ln-dgamma-wrong-reduction", STAGES, SGN_B, B,
     "dbeta = np.einsum(\"nchw->c\", dout)", "dbeta = np.mean(dout, axis=(2, 3)).sum(axis=0)"),
    ("ln-dgamma-wrong-reduction", ONE_GROUP, GN_B, B,
     "np.sum(dy, axis=over)", "np.mean(dy, axis=over)"),
    # faults of batch norm that these have too
    ("bn-statistics-constant", FIVE, SGN_B, B,
     "    dx = M * d - d.sum(axis=WITHIN, keepdims=True)\n"
     "    dx = dx - hat * (d * hat).sum(axis=WITHIN, keepdims=True)\n", "    dx = M * d\n"),
    ("bn-variance-term-sign", SLICES, GN_B, B, "first - z * second", "first + z * second"),
    ("bn-eps-missing", ROWS, LN_F, F, "row.size + eps) ** 0.5", "row.size) ** 0.5"),
    ("bn-eps-missing", STAGES, SGN_F, F, "np.power(var + eps, -0.5)", "np.power(var, -0.5)"),
    ("bn-eps-missing", FLAG, LN_F, F,
     "    ln_param[\"turned\"] = True\n",
     "    ln_param[\"turned\"], ln_param[\"eps\"] = True, 1e-5\n"),
    ("bn-std-power", SAMPLES, LN_F, F,
     "sigma = np.sqrt((spread * spread).mean(1) + eps)[:, None]",
     "sigma = ((spread * spread).mean(1) + eps)[:, None]"),
    ("bn-std-power", TURNED, LN_B, B, "(var + eps) ** -1.5", "(var + eps) ** -0.5"),
    ("bn-unbiased-variance", ONE_GROUP, GN_F, F,
     "flat.var(axis=-1, keepdims=True)", "flat.var(axis=-1, keepdims=True, ddof=1)"),
    ("bn-unbiased-variance", TURNED, LN_F, F, "np.var(xt, axis=0)", "np.var(xt, axis=0, ddof=1)"),
    ("bn-wrong-count", TURNED, LN_B, B, "D = xt.shape[0]", "D = xt.shape[1]"),
    ("bn-wrong-count", STAGES, SGN_B, B,
     "m = shifted.shape[1]", "m = dout.shape[2] * dout.shape[3]"),
    ("bn-wrong-count", SLICES, GN_B, B,
     "first = part.sum(axes, keepdims=True)", "m = np.prod(part.shape[1:-1])\n"
     "        first = part.sum(axes, keepdims=True)"),
    ("bn-sum-for-mean", SAMPLES, LN_B, B,
     "dspread.sum(1, keepdims=True) / m", "dspread.sum(1, keepdims=True)"),
    ("bn-gamma-missing", TURNED, LN_B, B, "dhat = (dout * gamma).T", "dhat = dout.T"),
    ("bn-gamma-missing", ONE_GROUP, GN_B, B, "_rows(dy * cache.gamma, cache", "_rows(dy, cache"),
    ("bn-gamma-squared", BLOCKS, SGN_B, B,
     "dx[n, mine] = inner / std[n]", "dx[n, mine] = gamma[mine][:, None, None] * inner / std[n]"),
    ("bn-dgamma-not-normalized", TURNED, LN_B, B,
     "dgamma = (dout * hat.T).sum(axis=0)", "dgamma = (dout * xt.T).sum(axis=0)"),
    ("bn-dgamma-not-normalized", SAMPLES, LN_B, B,
     "(rows * spread / sigma).reshape", "(rows * spread).reshape"),
    ("bn-terms-not-summed", GRAPH, LN_B, B,
     "    dx -= np.sum(grad, axis=1).reshape(N, 1) / D\n", "    dx = dx - grad / D\n"),
    ("bn-diagonal-only", ROWS, LN_B, B,
     "derivatives @ (gamma * g)", "np.diag(derivatives) * (gamma * g)"),
    ("bn-wrong-axes", TRANSPOSE, SBN_B, B,
     "flat = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)",
     "flat = dout.reshape(N * H * W, C)"),
    ("bn-wrong-axes", IN_PLACE, SBN_F, F,
     "swapped = x.swapaxes(0, 1)  # (C, N, H, W)\n"
     "    out, cache = "
     "batchnorm_forward(swapped.reshape(x.shape[1], -1).T, gamma, beta, bn_param)\n"
     "    return out.T.reshape(swapped.shape).swapaxes(0, 1), cache",
     "out, cache = batchnorm_forward(x.reshape(-1, x.shape[1]), gamma, beta, bn_param)\n"
     "    return out.reshape(x.shape), cache"),
    ("height-width-exchanged", TRANSPOSE, SBN_F, F,
     "flat = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)",
     "flat = x.transpose(0, 3, 2, 1).reshape(N * H * W, C)"),
    ("bn-diagonal-only", ALT, BN_ALT, B,
     "dx = gamma / (N * std) * (N * dout - dbeta - x_norm * dgamma)",
     "dx = dout * gamma * std * (1 - 1 / N) * (1 - x_norm**2 / N)"),
    ("bn-std-power", ALT, BN_B, B,
     "dgamma = (dout * cache[\"x_norm\"]).sum(axis=0)",
     "dgamma = (dout * cache[\"x_norm\"] / std).sum(axis=0)"),
    ("bn-wrong-count", ALT, BN_ALT, B, "gamma / (N * std)", "gamma / std"),
    ("bn-unbiased-variance", KEPT, BN_F, F,
     "mean, var = old_mean, old_var\n", "mean, var = old_mean, old_var * len(x) / (len(x) - 1)\n"),
    ("bn-eps-missing", DIRECT, SBN_F, F,
     "inv = 1 / np.sqrt(var + eps)\n    xn = diff * inv\n",
     "inv = 1 / np.sqrt(var)\n    xn = diff * inv + eps\n"),
    ("ln-wrong-axes", FIVE, SGN_F, F,
     "parts = x.reshape(N, G, C // G, H, W)\n", "parts = x.reshape(N, C // G, G, H, W)\n"),
    ("ln-wrong-axes", GRAPH, LN_B, B,
     "    dsigma = -np.sum(grad * centred, axis=1) / sigma**2\n"
     "    dvar = dsigma / (2 * sigma)\n"
     "    grad /= sigma[:, None]\n"
     "    grad += centred * (2 * dvar / D)[:, None]\n"
     "    dx = grad\n"
     "    dx -= np.sum(grad, axis=1).reshape(N, 1) / D\n",
     "    s = sigma[:, None]\n"
     "    dvar = np.sum(grad * centred * -0.5 / s**3, axis=0)\n"
     "    dmean = np.sum(-grad / s, axis=0) + dvar * np.sum(-2 * centred, axis=0) / D\n"
     "    dx = grad / s + dvar * 2 * centred / D + dmean / D\n"),
    ("ln-dgamma-wrong-reduction", STAGES, SGN_B, E,
     "dgamma = np.sum(np.sum(np.sum(dout * xn, axis=3), axis=2), axis=0)",
     "dgamma = np.sum((dout * xn).reshape(shifted.shape), axis=0)"),
    ("ln-dgamma-wrong-reduction", FIVE, SGN_B, E,
     "dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)",
     "dbeta = dout.sum(axis=(2, 3), keepdims=True)"),
]

UNNAMED = [
    (ROWS, LN_B, B,
     "derivatives @ (gamma * g)", "gamma * (derivatives @ g)",
     "gamma stands outside of a mean in dx"),
    (FIVE, SGN_B, B,
     "    d = (dout * gamma).reshape(hat.shape)\n"
     "    M = C // G * H * W\n",
     "    d = dout.reshape(hat.shape)\n"
     "    M = C // G * H * W\n"
     "    out_of = np.broadcast_to(gamma, dout.shape).reshape(hat.shape) / np.sqrt(v)\n"
     "    inner = d - d.mean(axis=WITHIN, keepdims=True)\n"
     "    inner -= hat * (d * hat).mean(axis=WITHIN, keepdims=True)\n"
     "    return (inner * out_of).reshape(dout.shape), dgamma, dbeta\n",
     "gamma stands outside of a mean in dx"),
]
"""Slips that have no name: (file, function, verdict, old text, new text, words of the message)."""
