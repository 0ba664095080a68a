"""Planted faults of convolution, pooling, ReLU and dense: single edits of correct submissions.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

SIX = "conv_six_loops_cs231n.py"
WINDOW = "conv_window_loops_cs231n.py"
IM2COL = "conv_im2col_cs231n.py"
COLUMNS = "conv_sample_columns_cs231n.py"
VIEW = "conv_sliding_view_cs231n.py"
FFT = "conv_fft_cs231n.py"
OFFSETS = "conv_kernel_offsets_minicnn.py"
STRIDED = "conv_as_strided_minicnn.py"
ADD_AT = "conv_add_at_minicnn.py"
FLOAT32 = "conv_float32_inside_minicnn.py"
PIXELS = "conv_output_pixels_minicnn.py"
TOEPLITZ = "conv_toeplitz_minicnn.py"
LISTS = "conv_sample_list_minicnn.py"
FORWARD, BACKWARD = "conv_forward_naive", "conv_backward_naive"
FORWARD2D, BACKWARD2D = "conv2d_forward", "conv2d_backward"

CONVOLUTION = [
    # the kernel is flipped
    ("conv-true-convolution", SIX, FORWARD, "wrong-forward",
     "x[n, :, row, col] @ w[f, :, u, v]",
     "x[n, :, row, col] @ w[f, :, HH - 1 - u, WW - 1 - v]"),
    ("conv-true-convolution", VIEW, FORWARD, "wrong-forward",
     '"ncijuv,fcuv->nfij", views, w)',
     '"ncijuv,fcuv->nfij", views, np.flip(w, (2, 3)))'),
    ("conv-true-convolution", FFT, FORWARD, "wrong-forward",
     "K = np.fft.rfft2(w, s=size,",
     "K = np.fft.rfft2(w[:, :, ::-1, ::-1], s=size,"),
    ("conv-true-convolution", PIXELS, FORWARD2D, "wrong-forward",
     "    kh, kw, _, filters = w.shape\n",
     "    w = np.rot90(w, 2)\n    kh, kw, _, filters = w.shape\n"),
    ("conv-true-convolution", IM2COL, FORWARD, "wrong-forward",
     "w_rows = w.reshape(F, -1)\n",
     "w_rows = w[..., ::-1, ::-1].reshape(F, -1)\n"),
    # forward ignores b
    ("conv-missing-bias", SIX, FORWARD, "wrong-forward",
     "total = b[f]", "total = 0.0"),
    ("conv-missing-bias", IM2COL, FORWARD, "wrong-forward",
     "out = w_rows @ cols + b.reshape(1, F, 1) ", "out = w_rows @ cols "),
    ("conv-missing-bias", OFFSETS, FORWARD2D, "wrong-forward",
     "    if b is not None:\n        y = y + b\n", ""),
    ("conv-missing-bias", VIEW, FORWARD, "wrong-forward",
     "    out = out + b[:, None, None]\n", "    out + b[:, None, None]\n"),
    ("conv-missing-bias", FLOAT32, FORWARD2D, "wrong-forward",
     "        y += np.asarray(b, F32)\n", "        b = np.asarray(b, F32)\n"),
    # padding on the wrong side, or windows off by one
    ("conv-padding-shifted", WINDOW, FORWARD, "wrong-forward",
     "    x_pad = np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)), mode=\"constant\")\n    H_out",
     "    x_pad = np.pad(x, ((0, 0), (0, 0), (0, 2 * P), (0, 2 * P)))\n    H_out"),
    ("conv-padding-shifted", SIX, FORWARD, "wrong-forward",
     "row = i * stride + u - pad", "row = i * stride + u - pad + 1"),
    ("conv-padding-shifted", IM2COL, FORWARD, "wrong-forward",
     "[(0, 0), (0, 0), (pad, pad), (pad, pad)]",
     "[(0, 0), (0, 0), (2 * pad, 0), (2 * pad, 0)]"),
    ("conv-padding-shifted", OFFSETS, FORWARD2D, "wrong-forward",
     "sides[0], sides[1], (0, 0)))",
     "(0, sum(sides[0])), (0, sum(sides[1])), (0, 0)))"),
    ("conv-padding-shifted", TOEPLITZ, FORWARD2D, "wrong-forward",
     "(top, bottom), (left, right), (0, 0)))",
     "(top + bottom, 0), (left + right, 0), (0, 0)))"),
    ("conv-padding-shifted", WINDOW, BACKWARD, "wrong-backward",
     "(P, P), (P, P)), mode=\"constant\")\n    dx_pad",
     "(2 * P, 0), (2 * P, 0)), mode=\"constant\")\n    dx_pad"),
    # output computed or gradient routed as with stride 1
    ("conv-stride-ignored", SIX, FORWARD, "wrong-forward",
     "                            row = i * stride + u - pad\n"
     "                            col = j * stride + v - pad\n",
     "                            row, col = i + u - pad, j + v - pad\n"),
    ("conv-stride-ignored", WINDOW, BACKWARD, "wrong-backward",
     "top, left = i * S, j * S", "top, left = i, j"),
    ("conv-stride-ignored", IM2COL, FORWARD, "wrong-forward",
     "im2col_indices(C, HH, WW, out_h, out_w, stride)\n    cols",
     "im2col_indices(C, HH, WW, out_h, out_w, 1)\n    cols"),
    ("conv-stride-ignored", VIEW, FORWARD, "error",
     "    views = views[:, :, ::stride, ::stride]     ", "    views = views[:, :, :, :]     "),
    ("conv-stride-ignored", FFT, BACKWARD, "wrong-backward",
     "full[:, :, p * stride, q * stride]", "full[:, :, p, q]"),
    ("conv-stride-ignored", OFFSETS, BACKWARD2D, "wrong-backward",
     "i:i + sh * OH - sh + 1:sh, j:j + sw * OW - sw + 1:sw]", "i:i + OH, j:j + OW]"),
    ("conv-stride-ignored", ADD_AT, FORWARD2D, "error",
     "    sh, sw = as_pair(stride)\n", "    sh, sw = 1, 1\n"),
    ("conv-stride-ignored", TOEPLITZ, BACKWARD2D, "wrong-backward",
     "i, j = p * stride[0], q * stride[1]", "i, j = p, q"),
    # overlapping windows assign to dx
    ("conv-dx-overwritten", WINDOW, BACKWARD, "wrong-backward",
     "left:right] += w[f] * dout[n, f, i, j]", "left:right] = w[f] * dout[n, f, i, j]"),
    ("conv-dx-overwritten", IM2COL, BACKWARD, "wrong-backward",
     "np.add.at(dxp, (slice(None), k, i, j), dcols)", "dxp[:, k, i, j] += dcols"),
    ("conv-dx-overwritten", COLUMNS, BACKWARD, "wrong-backward",
     "left:left + WW] += next(patch)", "left:left + WW] = next(patch)"),
    ("conv-dx-overwritten", OFFSETS, BACKWARD2D, "wrong-backward",
     "dxp[here] += dy @ w[i, j].T", "dxp[here] = dy @ w[i, j].T"),
    ("conv-dx-overwritten", ADD_AT, BACKWARD2D, "wrong-backward",
     "np.add.at(dxp, (slice(None), R, Q), dpatches)", "dxp[:, R, Q] = dpatches"),
    ("conv-dx-overwritten", LISTS, BACKWARD2D, "wrong-backward",
     "dimage[t:t + kh, l:l + kw] += w @ g", "dimage[t:t + kh, l:l + kw] = w @ g"),
    # the padding is not cut off dx, or the wrong rim is
    ("conv-dx-not-cropped", WINDOW, BACKWARD, "error",
     "dx = dx_pad[:, :, P:P + H, P:P + W]", "dx = dx_pad"),
    ("conv-dx-not-cropped", VIEW, BACKWARD, "wrong-backward",
     "dx = dxp[:, :, pad:pad + H, pad:pad + W]", "dx = dxp[:, :, :H, :W]"),
    ("conv-dx-not-cropped", FFT, BACKWARD, "wrong-backward",
     "    return dxp[:, :, pad:pad + H, pad:pad + W], dw, db",
     "    return dxp[:, :, size[0] - H:, size[1] - W:], dw, db"),
    ("conv-dx-not-cropped", ADD_AT, BACKWARD2D, "error",
     "    dx = dxp[:, t:t + height, l:l + width]\n    return dx, dw, db",
     "    return dxp, dw, db"),
    ("conv-dx-not-cropped", PIXELS, BACKWARD2D, "wrong-backward",
     "y0, x0 = cache.corner", "y0 = x0 = 0"),
    # dx correlates with the unrotated kernel
    ("conv-dx-kernel-not-rotated", VIEW, BACKWARD, "wrong-backward",
     "turned = w[:, :, ::-1, ::-1]", "turned = w"),
    ("conv-dx-kernel-not-rotated", STRIDED, BACKWARD2D, "wrong-backward",
     "    rotated = np.rot90(w, 2, axes=(0, 1))\n    dxp = np.einsum(\"npqijk,ijck->npqc\", "
     "windows(big, kh, kw), rotated,",
     "    dxp = np.einsum(\"npqijk,ijck->npqc\", windows(big, kh, kw), w,"),
    ("conv-dx-kernel-not-rotated", SIX, BACKWARD, "wrong-backward",
     "dx[n, :, r, q] += g * w[f, :, u, v]",
     "dx[n, :, r, q] += g * w[f, :, HH - u - 1, WW - v - 1]"),
    ("conv-dx-kernel-not-rotated", PIXELS, BACKWARD2D, "wrong-backward",
     "np.tensordot(g, w, axes=(1, 3))", "np.tensordot(g, w[::-1, ::-1], axes=(1, 3))"),
    # dw of one sample only
    ("conv-dw-one-sample", IM2COL, BACKWARD, "wrong-backward",
     "dw_each.sum(axis=0).reshape", "dw_each[0].reshape"),
    ("conv-dw-one-sample", COLUMNS, BACKWARD, "wrong-backward",
     "dw += grad @ matrices[n]", "dw = grad @ matrices[n]"),
    ("conv-dw-one-sample", LISTS, BACKWARD2D, "wrong-backward",
     "np.array(dxs), np.sum(dws, axis=0), db", "np.array(dxs), dkernel, db"),
    ("conv-dw-one-sample", OFFSETS, BACKWARD2D, "wrong-backward",
     "dw[i, j] = xp[here].reshape(-1, C).T @ flat",
     "dw[i, j] = xp[here][0].reshape(-1, C).T @ dy[0].reshape(-1, K)"),
    ("conv-dw-one-sample", WINDOW, BACKWARD, "wrong-backward",
     "    for n in range(N):\n        for f in range(F):\n"
     "            for i in range(H_out):\n                for j in range(W_out):\n"
     "                    top, left",
     "    for n in range(N):\n        dw = np.zeros_like(w)\n        for f in range(F):\n"
     "            for i in range(H_out):\n                for j in range(W_out):\n"
     "                    top, left"),
    # dw or db averaged over the batch
    ("conv-dw-averaged", WINDOW, BACKWARD, "wrong-backward",
     "    # throw the border away again\n", "    dw /= N\n    db /= N\n"),
    ("conv-dw-averaged", IM2COL, BACKWARD, "wrong-backward",
     "dw_each.sum(axis=0).reshape", "dw_each.mean(axis=0).reshape"),
    ("conv-dw-averaged", LISTS, BACKWARD2D, "wrong-backward",
     "np.sum(dws, axis=0), db", "sum(dws) / len(dws), db"),
    ("conv-dw-averaged", TOEPLITZ, BACKWARD2D, "wrong-backward",
     "dM = (flat_x.T @ flat_dy).reshape(M.shape)",
     "dM = (flat_x.T @ flat_dy / N).reshape(M.shape)"),
    ("conv-dw-averaged", OFFSETS, BACKWARD2D, "wrong-backward",
     "db = flat.sum(axis=0) if", "db = flat.sum(axis=0) / N if"),
    # db not summed over batch and both image axes
    ("conv-db-wrong-axes", WINDOW, BACKWARD, "error",
     "db = np.sum(dout, axis=(0, 2, 3))", "db = np.sum(dout, axis=0)"),
    ("conv-db-wrong-axes", SIX, BACKWARD, "wrong-backward",
     "db[f] += g", "db[f] = g"),
    ("conv-db-wrong-axes", COLUMNS, BACKWARD, "wrong-backward",
     "db += grad.sum(axis=1)", "db = grad.sum(axis=1)"),
    ("conv-db-wrong-axes", VIEW, BACKWARD, "error",
     'np.einsum("nfij->f", dout)', 'np.einsum("nfij->fj", dout)'),
    ("conv-db-wrong-axes", ADD_AT, BACKWARD2D, "error",
     "db = np.sum(dy, axis=tuple(batch_and_image)) if",
     "db = np.sum(dy, axis=(0, 1)) if"),
    ("conv-db-wrong-axes", TOEPLITZ, BACKWARD2D, "wrong-backward",
     "dy.sum(axis=2).sum(axis=1).sum(axis=0)", "dy.sum(axis=2).sum(axis=1)[0]"),
    ("conv-db-wrong-axes", LISTS, BACKWARD2D, "wrong-backward",
     'np.einsum("npqk->k", dy)', "dy.mean(axis=(1, 2)).sum(axis=0)"),
]

LOOPS = "pool_loops_cs231n.py"
VIEWS = "pool_views_cs231n.py"
ONEHOT = "pool_onehot_cs231n.py"
RUNNING = "pool_running_max_minicnn.py"
CLIPPED = "pool_clipped_windows_minicnn.py"
FLAT = "pool_flat_index_minicnn.py"
POOL, UNPOOL = "max_pool_forward_naive", "max_pool_backward_naive"
POOL2D, UNPOOL2D = "maxpool2d_forward", "maxpool2d_backward"

POOLING = [
    # a tie passes the gradient to several positions
    ("pool-ties-shared", LOOPS, UNPOOL, "wrong-backward",
     "                    a, b = np.unravel_index(np.argmax(win), win.shape)\n"
     "                    dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]\n",
     "                    hit = win == np.max(win)\n"
     "                    dx[n, c, i * s:i * s + ph, j * s:j * s + pw] += (\n"
     "                        hit * dout[n, c, i, j])\n"),
    ("pool-ties-shared", ONEHOT, UNPOOL, "wrong-backward",
     "mask = first_hit(window == out[:, :, i, j, None])",
     "mask = window == out[:, :, i, j, None]"),
    ("pool-ties-shared", CLIPPED, UNPOOL2D, "wrong-backward",
     "            chosen = np.zeros_like(flat)\n"
     "            np.put_along_axis(chosen, flat.argmax(axis=1)[:, None, :], 1, axis=1)\n",
     "            chosen = flat >= flat.max(axis=1, keepdims=True)\n"),
    # overlapping windows assign
    ("pool-overlap-overwritten", LOOPS, UNPOOL, "wrong-backward",
     "j * s + b] += dout[n, c, i, j]", "j * s + b] = dout[n, c, i, j]"),
    ("pool-overlap-overwritten", VIEWS, UNPOOL, "wrong-backward",
     "np.add.at(dx, (n, c, row, col), dout)", "dx[n, c, row, col] += dout"),
    ("pool-overlap-overwritten", ONEHOT, UNPOOL, "wrong-backward",
     "c:c + wp] += grad.reshape", "c:c + wp] = grad.reshape"),
    ("pool-overlap-overwritten", RUNNING, UNPOOL2D, "wrong-backward",
     "        share = np.where(winner == place, dy, 0)\n"
     "        dxp[:, i::stride[0], j::stride[1]][:, :oh, :ow] += share\n",
     "        target = dxp[:, i::stride[0], j::stride[1]][:, :oh, :ow]\n"
     "        target[winner == place] = dy[winner == place]\n"),
    ("pool-overlap-overwritten", FLAT, UNPOOL2D, "wrong-backward",
     "    dx = np.bincount(chosen.ravel(), weights=dy.ravel(), minlength=total)\n",
     "    dx = np.zeros(total)\n    dx[chosen.ravel()] = dy.ravel()\n"),
    # the gradient is spread over the window as in average pooling
    ("pool-gradient-spread", LOOPS, UNPOOL, "wrong-backward",
     "                    dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]\n",
     "                    share = dout[n, c, i, j] / (ph * pw)\n"
     "                    dx[n, c, i * s:i * s + ph, j * s:j * s + pw] += share\n"),
    ("pool-gradient-spread", ONEHOT, UNPOOL, "wrong-backward",
     "mask = first_hit(window == out[:, :, i, j, None])",
     "mask = np.full(window.shape, 1 / window.shape[2])"),
    ("pool-gradient-spread", CLIPPED, UNPOOL2D, "wrong-backward",
     "routed = chosen * dy[:, p, q, None, :]",
     "routed = np.ones_like(flat) * dy[:, p, q, None, :] / flat.shape[1]"),
    ("pool-gradient-spread", RUNNING, UNPOOL2D, "wrong-backward",
     "share = np.where(winner == place, dy, 0)",
     "share = dy / (size[0] * size[1])"),
    # windows advance by their size, or by 1
    ("pool-stride-ignored", LOOPS, POOL, "wrong-forward",
     "y0, x0 = i * stride, j * stride", "y0, x0 = i, j"),
    ("pool-stride-ignored", VIEWS, POOL, "error",
     "[:, :, ::step, ::step]", ""),
    ("pool-stride-ignored", ONEHOT, UNPOOL, "wrong-backward",
     "r, c = i * S, j * S", "r, c = i, j"),
    ("pool-stride-ignored", RUNNING, POOL2D, "error",
     "stride = size if stride is None else _pair(stride)", "stride = size"),
    ("pool-stride-ignored", FLAT, POOL2D, "error",
     "sh, sw = _2(size if stride is None else stride)", "sh, sw = kh, kw"),
    ("pool-stride-ignored", VIEWS, UNPOOL, "wrong-backward",
     "    row = i * step + best // pw\n    col = j * step + best % pw\n",
     "    row = i + best // pw\n    col = j + best % pw\n"),
    ("pool-stride-ignored", CLIPPED, POOL2D, "wrong-forward",
     "starts = [m * step - before for m in range(count)]",
     "starts = range(-before, count - before)"),
]

AFFINE = "affine_reshape_cs231n.py"
SAMPLES = "affine_sample_loop_cs231n.py"
CLASS = "dense_cache_class_minicnn.py"
COLUMN = "dense_bias_column_minicnn.py"
EINSUM = "dense_einsum_minicnn.py"
ABS = "relu_abs_cs231n.py"
COPY = "relu_copy_mask_cs231n.py"
FAMILY = "relu_family_minicnn.py"
PIECES = "leaky_elu_pieces_minicnn.py"

DENSE_AND_RELU = [
    # backward passes dy through unchanged
    ("relu-mask-missing", AFFINE, "relu_backward", "wrong-backward",
     "dx = np.where(x > 0, dout, 0)", "dx = dout * np.ones_like(x)"),
    ("relu-mask-missing", COPY, "relu_backward", "wrong-backward",
     "    dx[cache] = 0\n", ""),
    ("relu-mask-missing", FAMILY, "relu_backward", "wrong-backward",
     "return np.multiply(dy, cache)", "return dy"),
    ("relu-mask-missing", PIECES, "relu_backward", "wrong-backward",
     "dy * np.sign(plus)", "dy * (plus >= 0)"),
    # the mask is taken from dy's sign
    ("relu-mask-from-dy", AFFINE, "relu_backward", "wrong-backward",
     "np.where(x > 0, dout, 0)", "np.where(dout > 0, dout, 0)"),
    ("relu-mask-from-dy", COPY, "relu_backward", "wrong-backward",
     "dx[cache] = 0", "dx[dx <= 0] = 0"),
    ("relu-mask-from-dy", PIECES, "relu_backward", "wrong-backward",
     "    plus = cache\n", "    plus, _ = parts(dy)\n"),
    ("relu-mask-from-dy", ABS, "relu_backward", "wrong-backward",
     "np.heaviside(x, 0.0)", "np.heaviside(dout, 0.0)"),
    # dw with roles exchanged or transposed
    ("dense-dw-transposed", AFFINE, "affine_backward", "error",
     "dw = x_rows.T.dot(dout)", "dw = dout.T.dot(x_rows)"),
    ("dense-dw-transposed", SAMPLES, "affine_backward", "wrong-backward",
     "dw += np.outer(x[n], upstream)", "dw += np.outer(upstream, x[n]).reshape(w.shape)"),
    ("dense-dw-transposed", CLASS, "dense_backward", "error",
     "np.matmul(np.transpose(x), dy)", "np.matmul(np.transpose(dy), x)"),
    ("dense-dw-transposed", EINSUM, "dense_backward", "error",
     '"ni,no->io", cache', '"ni,no->oi", cache'),
    ("dense-dw-transposed", EINSUM, "dense_backward", "wrong-backward",
     'grad_w = np.einsum("ni,no->io", cache["x"], dy)',
     'grad_w = np.einsum("no,ni->oi", dy, cache["x"]).reshape(cache["w"].shape)'),
    # db (or dw) averaged over the batch
    ("dense-db-averaged", AFFINE, "affine_backward", "wrong-backward",
     "db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)"),
    ("dense-db-averaged", SAMPLES, "affine_backward", "wrong-backward",
     "        db += upstream\n", "        db += upstream / len(x)\n"),
    ("dense-db-averaged", CLASS, "dense_backward", "wrong-backward",
     "    dw = np.matmul(np.transpose(x), dy)\n",
     "    dw = np.matmul(np.transpose(x), dy) / x.shape[0]\n"),
    ("dense-db-averaged", COLUMN, "dense_backward", "wrong-backward",
     "    dw1 = x1.T @ dy\n", "    dw1 = x1.T @ dy / len(dy)\n"),
    # forward ignores b
    ("dense-bias-missing", AFFINE, "affine_forward", "wrong-forward",
     "out = x_rows.dot(w) + b", "out = x_rows.dot(w)"),
    ("dense-bias-missing", SAMPLES, "affine_forward", "wrong-forward",
     "        out[n] += b\n", ""),
    ("dense-bias-missing", CLASS, "dense_forward", "wrong-forward",
     "        y = np.add(y, b)\n", "        np.add(y, b)\n"),
    ("dense-bias-missing", COLUMN, "dense_forward", "wrong-forward",
     "return x1 @ w1, (x1, w1, True)", "return x @ w, (x1, w1, True)"),
]

PLANTED = CONVOLUTION + POOLING + DENSE_AND_RELU
