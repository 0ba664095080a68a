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

BN_F, BN_B, BN_ALT = "batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"
SBN_F, SBN_B = "spatial_batchnorm_forward", "spatial_batchnorm_backward"

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
]
