"""Planted faults of sliding windows: single edits of correct submissions.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

SIX = "conv_six_loops_cs231n.py"
WINDOW = "conv_window_loops_cs231n.py"
IM2COL = "conv_im2col_cs231n.py"
VIEW = "conv_sliding_view_cs231n.py"
OFFSETS = "conv_kernel_offsets_minicnn.py"
PIXELS = "conv_output_pixels_minicnn.py"
STRIDED = "conv_as_strided_minicnn.py"
FORWARD, BACKWARD = "conv_forward_naive", "conv_backward_naive"
FORWARD2D, BACKWARD2D = "conv2d_forward", "conv2d_backward"

CONVOLUTION = [
    # the rim is as wide as the code says, not as the setting says
    ("conv-padding-fixed", WINDOW, FORWARD, "error",
     "(P, P), (P, P)), mode=\"constant\")\n    H_out",
     "(1, 1), (1, 1)), mode=\"constant\")\n    H_out"),
    ("conv-padding-fixed", VIEW, FORWARD, "error",
     "np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))",
     "np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))"),
    ("conv-padding-fixed", SIX, FORWARD, "wrong-forward",
     "                            row = i * stride + u - pad\n"
     "                            col = j * stride + v - pad\n",
     "                            row = i * stride + u - 1\n"
     "                            col = j * stride + v - 1\n"),
    ("conv-padding-fixed", VIEW, FORWARD, "error",
     "    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))\n", "    xp = x\n"),
    ("conv-padding-fixed", SIX, BACKWARD, "wrong-backward",
     "                            r = i * s + u - pad\n"
     "                            q = j * s + v - pad\n",
     "                            r = i * s + u - 1\n"
     "                            q = j * s + v - 1\n"),
    ("conv-padding-fixed", WINDOW, BACKWARD, "error",
     "(P, P), (P, P)), mode=\"constant\")\n    dx_pad",
     "(1, 1), (1, 1)), mode=\"constant\")\n    dx_pad"),
    # one rim is cut off whatever the setting, or none where pad is 0
    ("conv-dx-not-cropped", WINDOW, BACKWARD, "error",
     "dx_pad[:, :, P:P + H, P:P + W]", "dx_pad[:, :, 1:-1, 1:-1]"),
    ("conv-dx-not-cropped", IM2COL, BACKWARD, "error",
     "dxp[:, :, pad:H + pad, pad:W + pad]", "dxp[:, :, pad:-pad, pad:-pad]"),
    ("conv-dx-not-cropped", WINDOW, BACKWARD, "error",
     "    dx = dx_pad[:, :, P:P + H, P:P + W]\n",
     "    dx = np.zeros_like(x)\n    dx[:] = dx_pad[:, :, P:-P, P:-P]\n"),
    ("conv-dx-not-cropped", WINDOW, BACKWARD, "error",
     "dx_pad[:, :, P:P + H, P:P + W]", "dx_pad[:, :, P:H, P:W]"),
    # one axis has the size of the other
    ("height-width-exchanged", WINDOW, FORWARD, "error",
     "W_out = (W + 2 * P - WW) // S + 1", "W_out = (H + 2 * P - WW) // S + 1"),
    ("height-width-exchanged", WINDOW, FORWARD, "error",
     "j * S:j * S + WW]\n                    out", "j * S:j * S + HH]\n                    out"),
    ("height-width-exchanged", IM2COL, FORWARD, "error",
     "im2col_indices(C, HH, WW, out_h, out_w, stride)\n    cols",
     "im2col_indices(C, HH, WW, out_w, out_h, stride)\n    cols"),
    ("height-width-exchanged", WINDOW, BACKWARD, "error",
     "bottom, right = top + HH, left + WW", "bottom, right = top + WW, left + HH"),
    ("height-width-exchanged", IM2COL, BACKWARD, "error",
     "pad:H + pad, pad:W + pad]", "pad:W + pad, pad:H + pad]"),
    ("height-width-exchanged", OFFSETS, FORWARD2D, "error",
     "np.pad(x, ((0, 0), sides[0], sides[1], (0, 0)))",
     "np.pad(x, ((0, 0), sides[1], sides[0], (0, 0)))"),
    ("height-width-exchanged", STRIDED, FORWARD2D, "error",
     "    sh, sw = two(stride)\n", "    sw, sh = two(stride)\n"),
    # unequal paddings, only in minicnn's dialect
    ("conv-padding-shifted", OFFSETS, FORWARD2D, "wrong-forward",
     "sides[0], sides[1], (0, 0)))", "sides[0][::-1], sides[1][::-1], (0, 0)))"),
    ("conv-padding-shifted", PIXELS, BACKWARD2D, "wrong-backward",
     "    y0, x0 = cache.corner\n",
     "    y0, x0 = (side - length for side, length in zip(\n"
     "        cache.padded.shape[1:3], cache.x.shape[1:3]))\n"
     "    y0, x0 = y0 - cache.corner[0], x0 - cache.corner[1]\n"),
]

LOOPS = "pool_loops_cs231n.py"
ONEHOT = "pool_onehot_cs231n.py"
VIEWS = "pool_views_cs231n.py"
RUNNING = "pool_running_max_minicnn.py"
COUNTED = "avgpool_counted_minicnn.py"
MATRICES = "avgpool_matrices_minicnn.py"
POOL, UNPOOL = "max_pool_forward_naive", "max_pool_backward_naive"
POOL2D, UNPOOL2D = "maxpool2d_forward", "maxpool2d_backward"

POOLING = [
    ("pool-overlap-mask-added", ONEHOT, UNPOOL, "wrong-backward",
     "            grad = mask * dout[:, :, i, j, None]\n"
     "            dx[:, :, r:r + hp, c:c + wp] += grad.reshape(N, C, hp, wp)\n",
     "            dx[:, :, r:r + hp, c:c + wp] += mask.reshape(N, C, hp, wp)\n"
     "    masks, dx = dx, np.zeros_like(x)\n"
     "    for i in range(Ho):\n"
     "        for j in range(Wo):\n"
     "            here = np.s_[:, :, i * S:i * S + hp, j * S:j * S + wp]\n"
     "            dx[here] += masks[here] * dout[:, :, i, j, None, None]\n"),
    ("pool-overlap-mask-added", LOOPS, UNPOOL, "wrong-backward",
     "                    dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]\n",
     "                    dx[n, c, i * s + a, j * s + b] += 1\n"
     "    count, dx = dx, np.zeros(x.shape)\n"
     "    for i in range(H_out):\n"
     "        for j in range(W_out):\n"
     "            rows, cols = slice(i * s, i * s + ph), slice(j * s, j * s + pw)\n"
     "            mine = count[:, :, rows, cols] > 0\n"
     "            dx[:, :, rows, cols] += mine * dout[:, :, i:i + 1, j:j + 1]\n"),
    ("height-width-exchanged", LOOPS, POOL, "error",
     "ph, pw = pool_param[\"pool_height\"], pool_param[\"pool_width\"]\n    stride",
     "pw, ph = pool_param[\"pool_height\"], pool_param[\"pool_width\"]\n    stride"),
    ("height-width-exchanged", ONEHOT, POOL, "wrong-forward",
     "x[:, :, i*S:i*S+hp, j*S:j*S+wp]", "x[:, :, i*S:i*S+wp, j*S:j*S+hp]"),
    ("height-width-exchanged", VIEWS, UNPOOL, "error",
     "    row = i * step + best // pw\n    col = j * step + best % pw\n",
     "    row = i * step + best // ph\n    col = j * step + best % ph\n"),
    ("pool-overlap-overwritten", VIEWS, UNPOOL, "wrong-backward",
     "    np.add.at(dx, (n, c, row, col), dout)\n", "    dx[n, c, row, col] += dout\n"),
]

STEPS = "coursera_step_by_step.py"
BATCH = "coursera_whole_batch.py"
BIAS = "coursera_bias_array.py"
EINSUM = "coursera_windows_einsum.py"
ALONE = "coursera_backward_alone.py"
ONLY = "coursera_max_pool_only.py"
CONV, UNCONV, CPOOL, CUNPOOL = "conv_forward", "conv_backward", "pool_forward", "pool_backward"

COURSERA = [
    ("conv-padding-fixed", STEPS, "zero_pad", "error",
     "np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0))",
     "np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0))"),
    ("conv-padding-shifted", BATCH, "zero_pad", "wrong-forward",
     "X_pad[:, pad:pad + n_H, pad:pad + n_W, :] = X", "X_pad[:, :n_H, :n_W, :] = X"),
    ("conv-missing-bias", STEPS, "conv_single_step", "wrong-forward",
     "Z = Z + float(b)", "Z = float(Z)"),
    ("conv-missing-bias", EINSUM, CONV, "wrong-forward", " + b.reshape(-1)", ""),
    ("conv-true-convolution", BATCH, CONV, "wrong-forward",
     "np.tensordot(block, W, axes=3)", "np.tensordot(block, W[::-1, ::-1], axes=3)"),
    ("conv-stride-ignored", STEPS, CONV, "wrong-forward",
     "            vert_start = h * stride\n            vert_end = vert_start + f\n"
     "            for w in range(n_W):\n                horiz_start = w * stride\n",
     "            vert_start = h\n            vert_end = vert_start + f\n"
     "            for w in range(n_W):\n                horiz_start = w\n"),
    ("conv-stride-ignored", BIAS, UNCONV, "wrong-backward",
     "top, left = h * stride, w * stride", "top, left = h, w"),
    ("conv-dx-overwritten", STEPS, UNCONV, "wrong-backward",
     "horiz_start:horiz_end, :] += W[:, :, :, c]", "horiz_start:horiz_end, :] = W[:, :, :, c]"),
    ("conv-dw-averaged", EINSUM, UNCONV, "wrong-backward",
     "cache[\"view\"], dZ)\n", "cache[\"view\"], dZ) / len(dZ)\n"),
    ("conv-dw-one-sample", EINSUM, UNCONV, "wrong-backward",
     "np.einsum(\"mhwcij,mhwk->ijck\", cache[\"view\"], dZ)",
     "np.einsum(\"mhwcij,mhwk->ijck\", cache[\"view\"][-1:], dZ[-1:])"),
    ("conv-db-wrong-axes", STEPS, UNCONV, "wrong-backward",
     "db[:, :, :, c] += dZ[i, h, w, c]", "db[:, :, :, c] = dZ[i, h, w, c]"),
    ("conv-dx-not-cropped", BATCH, UNCONV, "error",
     "dpadded[:, p:p + n_H_prev, p:p + n_W_prev, :]", "dpadded"),
    ("conv-padding-fixed", ALONE, UNCONV, "wrong-backward",
     "r, q = h * s + i - pad, w * s + j - pad", "r, q = h * s + i - 1, w * s + j - 1"),
    ("height-width-exchanged", STEPS, CONV, "error",
     "n_W = int((n_W_prev - f + 2 * pad) / stride) + 1",
     "n_W = int((n_H_prev - f + 2 * pad) / stride) + 1"),
    ("height-width-exchanged", STEPS, UNCONV, "error",
     "        for h in range(n_H):\n            for w in range(n_W):\n"
     "                for c in range(n_C):\n                    vert_start = h * stride\n"
     "                    vert_end = vert_start + f\n                    horiz_start = w * stride\n"
     "                    horiz_end = horiz_start + f\n                    a_slice",
     "        for h in range(n_W):\n            for w in range(n_H):\n"
     "                for c in range(n_C):\n                    vert_start = h * stride\n"
     "                    vert_end = vert_start + f\n                    horiz_start = w * stride\n"
     "                    horiz_end = horiz_start + f\n                    a_slice"),
    ("height-width-exchanged", STEPS, "distribute_value", "wrong-forward",
     "average = dz / (n_H * n_W)", "average = dz / (n_H * n_H)"),
    ("pool-stride-ignored", STEPS, CPOOL, "wrong-forward",
     "                    vert_start = h * stride\n                    horiz_start = w * stride\n"
     "                    window", "                    vert_start = h\n"
     "                    horiz_start = w\n                    window"),
    ("pool-stride-ignored", STEPS, CUNPOOL, "wrong-backward",
     "                    vert_start = h * stride\n                    vert_end = vert_start + f\n"
     "                    horiz_start = w * stride\n"
     "                    horiz_end = horiz_start + f\n                    if mode",
     "                    vert_start = h\n                    vert_end = vert_start + f\n"
     "                    horiz_start = w\n"
     "                    horiz_end = horiz_start + f\n                    if mode"),
    ("pool-overlap-overwritten", STEPS, CUNPOOL, "wrong-backward",
     "c] += distribute_value(da, shape)", "c] = distribute_value(da, shape)"),
    ("pool-overlap-overwritten", STEPS, CUNPOOL, "wrong-backward",
     "c] += mask * dA[i, h, w, c]", "c] = mask * dA[i, h, w, c]"),
    ("pool-overlap-overwritten", ONLY, CUNPOOL, "wrong-backward",
     "    np.add.at(dA_prev, (m, h * stride + winner // f, w * stride + winner % f, c), dA)\n",
     "    dA_prev[m, h * stride + winner // f, w * stride + winner % f, c] = dA\n"),
    ("pool-gradient-spread", ALONE, CUNPOOL, "wrong-backward",
     "share = (block == block.max(axis=(0, 1))).astype(float)",
     "share = np.ones_like(block) / f ** 2"),
    ("axis-kept", EINSUM, UNCONV, "wrong-backward",
     "np.sum(dZ, axis=(0, 1, 2))[np.newaxis, np.newaxis, np.newaxis, :]",
     "np.sum(dZ, axis=(0, 1, 2))"),
]

PLANTED = [*CONVOLUTION, *POOLING, *COURSERA]
