"""Planted faults of dropout, losses, ReLU and dense layers: single edits of correct submissions.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

F, B, E = "wrong-forward", "wrong-backward", "error"

D_DROPS = "dropout_drops_cs231n.py"
D_COMMENT = "dropout_comment_says_drop_cs231n.py"
D_SILENT = "dropout_silent_cs231n.py"
D_BOTH = "dropout_both_readings_cs231n.py"
D_FLAT = "dropout_flat_indices_cs231n.py"
D_SCALED = "dropout_scaled_mask_cs231n.py"
D_ELEMENT = "dropout_elementwise_cs231n.py"
D_BOOL = "dropout_boolean_mask_minicnn.py"
D_CLASS = "dropout_cache_class_minicnn.py"
R_ABS = "relu_abs_cs231n.py"
R_FAMILY = "relu_family_minicnn.py"
R_LOOP = "relu_element_loop_cs231n.py"
R_SIGN = "relu_sign_cs231n.py"
R_WRITES = "relu_overwrites_dout_cs231n.py"
SVM_LOOPS = "svm_loss_loops_cs231n.py"
SVM_OUT = "svm_loss_labels_out_cs231n.py"
SVM_MATRIX = "svm_and_softmax_matrix_cs231n.py"
S_ROW = "softmax_of_one_row_minicnn.py"
S_TRANSPOSED = "softmax_transposed_minicnn.py"
S_ALONG = "softmax_loss_apply_along_cs231n.py"
S_LSE = "softmax_logsumexp_minicnn.py"

DO_F, DO_B = "dropout_forward", "dropout_backward"
RELU_F = "relu_forward"
CE_F, CE_B = "softmax_cross_entropy_forward", "softmax_cross_entropy_backward"

PLANTED = [
    # p is read against what the file says
    ("dropout-keep-drop-swapped", D_DROPS, DO_F, F, "mask = np.random.rand(*x.shape) >= p\n"
     "    out = x * mask / (1 - p)", "mask = np.random.rand(*x.shape) < p\n    out = x * mask / p"),
    ("dropout-keep-drop-swapped", D_DROPS, DO_F, F, "neuron is dropped", "neuron is kept"),
    ("dropout-keep-drop-swapped", D_COMMENT, DO_F, F, "is switched off", "stays on"),
    ("dropout-keep-drop-swapped", D_COMMENT, DO_F, F, "x.shape) < p] = 0", "x.shape) > p] = 0"),
    ("dropout-keep-drop-swapped", D_BOTH, DO_F, F,
     "[0.0, 1.0 / p], size=x.shape, p=[1 - p, p]",
     "[0.0, 1.0 / (1 - p)], size=x.shape, p=[p, 1 - p]"),
    ("dropout-keep-drop-swapped", D_FLAT, DO_F, F, "x.size) > p)", "x.size) < p)"),
    ("dropout-keep-drop-swapped", D_SILENT, DO_F, F, "1.0 / (1.0 - rate)", "1.0 / rate"),
    # normal numbers where uniform ones belong
    ("dropout-mask-from-normal", D_SCALED, DO_F, F, "np.random.rand(", "np.random.randn("),
    ("dropout-mask-from-normal", D_DROPS, DO_F, F,
     "np.random.rand(*x.shape) >= p", "np.random.normal(size=x.shape) > p"),
    ("dropout-mask-from-normal", D_ELEMENT, DO_F, F, "generator.random()", "generator.normal()"),
    ("dropout-mask-from-normal", D_FLAT, DO_F, F,
     "state.random_sample(x.size)", "abs(state.standard_normal(x.size))"),
    ("dropout-mask-from-normal", D_SILENT, DO_F, F,
     "np.random.uniform(size=x.shape)", "np.random.standard_normal(x.shape)"),
    # several values share a draw
    ("dropout-mask-shared", D_SCALED, DO_F, F,
     "np.random.rand(*x.shape) < p", "np.random.rand(x.shape[-1]) < p"),
    ("dropout-mask-shared", D_SCALED, DO_F, E,
     "np.random.rand(*x.shape) < p", "np.random.rand(x.shape[0], x.shape[1]) < p"),
    ("dropout-mask-shared", D_DROPS, DO_F, F,
     "np.random.rand(*x.shape) >= p", "np.random.rand(1, *x.shape[1:]) >= p"),
    ("dropout-mask-shared", D_BOTH, DO_F, F,
     "size=x.shape", "size=(len(x),) + (1,) * (x.ndim - 1)"),
    ("dropout-mask-shared", D_COMMENT, DO_F, E,
     "factors = np.full(x.shape, 1 / (1 - p))\n    factors[rng.random(x.shape) < p] = 0",
     "factors = (rng.random(x.shape[:2]) >= p) / (1 - p)"),
    ("dropout-mask-shared", D_DROPS, DO_F, F, "np.random.rand(*x.shape)", "np.random.rand()"),
    # backward without forward's factor
    ("dropout-backward-not-scaled", D_DROPS, DO_B, B,
     'return dout * mask / (1 - dropout_param["p"])', "return dout * mask"),
    ("dropout-backward-not-scaled", D_FLAT, DO_B, B, "dout.flatten() / p", "dout.flatten()"),
    ("dropout-backward-not-scaled", D_SILENT, DO_B, B, "dout * scale", "dout * 1.0"),
    ("dropout-backward-not-scaled", D_COMMENT, DO_B, B,
     "else cache * dout", "else (cache > 0) * dout"),
    ("dropout-backward-not-scaled", D_BOOL, DO_B, B, "dy * mask / keep_prob", "dy * mask"),
    # where x is positive, for x there
    ("relu-returns-mask", R_ABS, RELU_F, F, "0.5 * (x + np.abs(x))", "0.5 * (1 + np.sign(x))"),
    ("relu-returns-mask", R_FAMILY, RELU_F, F, "np.clip(x, 0, None)", "np.where(x > 0, 1, 0)"),
    ("relu-returns-mask", R_LOOP, RELU_F, F, "out[place] = value", "out[place] = 1"),
    ("relu-returns-mask", R_SIGN, RELU_F, F, "np.fmax(x, 0.0)", "x > 0"),
    # softmax: large logits, in a batch and row by row
    ("softmax-overflow", S_ROW, "softmax", F, "np.exp(scores - max(scores))", "np.exp(scores)"),
    ("softmax-overflow", S_TRANSPOSED, "softmax", F, "        x = x - np.max(x, axis=0)\n", ""),
    ("softmax-overflow", S_ALONG, "softmax_loss", F,
     "row.max() + np.log(np.exp(row - row.max()).sum())", "np.log(np.exp(row).sum())"),
    ("softmax-missing-mean", S_ALONG, "softmax_loss", B, "np.true_divide(grad, n)", "grad"),
    ("softmax-gradient-no-onehot", S_ROW, CE_B, B, "d[n, label] -= 1", "d[n, label] -= 0"),
    ("softmax-log-of-zero", S_TRANSPOSED, CE_F, F, "likely + 1e-300", "likely"),
]

UNNAMED = [
    # dropout
    (D_SCALED, DO_F, F, "(np.random.rand(*x.shape) < p) / p", "(np.random.rand(*x.shape) < p) * p",
     "What stays is multiplied by the probability of keeping"),
    (D_DROPS, DO_F, F, "mask / (1 - p)", "mask / (1 - p) / (1 - p)",
     "What stays is divided by the probability of keeping twice"),
    (D_FLAT, DO_F, F, "state.random_sample(x.size) > p", "state.random_sample(x.size) > 0.5",
     "Half of the values stay, whatever the probability is"),
    (D_SCALED, DO_F, F, "np.random.rand(*x.shape)", "np.random.uniform(-1, 1, x.shape)",
     "That is the share of numbers between -1 and 1"),
    (D_SCALED, DO_F, F, "np.random.rand(*x.shape) < p", "np.random.rand(*x.shape) < 2",
     "Nothing is dropped"),
    (D_SCALED, DO_B, B, "dx = dout * mask", "dx = dout * mask / dropout_param['p']",
     "What stays is divided by the probability of keeping twice"),
    (D_FLAT, DO_B, B, "dx.put(gone, 0)", "dx = np.where(np.isin(np.arange(dx.size), gone), dx, 0)",
     "dx is 0 where forward had kept"),
    # softmax and its loss
    (S_ALONG, "softmax_loss", F, "-log_p[range(n), y]", "log_p[range(n), y]", "wrong sign"),
    (S_ALONG, "softmax_loss", F, "-log_p[range(n), y].sum() / n", "-log_p[:, y].sum() / n",
     "p[:, y] takes every label's column"),
    (S_ALONG, "softmax_loss", B, "grad[range(n), y] -= 1.0", "grad[range(n), y] += 1.0",
     "1 is added at the label"),
    (S_ALONG, "softmax_loss", B, "grad[range(n), y] -= 1.0", "grad[:, y] -= 1.0",
     "changes every label's column"),
    (S_TRANSPOSED, CE_F, F, "-np.sum(np.log(likely + 1e-300))", "-np.sum(np.log10(likely))",
     "base-10 logarithm"),
    (S_TRANSPOSED, CE_F, F, "np.log(likely + 1e-300)", "likely", "The logarithm is missing"),
    (S_ROW, CE_B, B, "return d / len(labels)", "return d / len(labels) / len(labels)",
     "divided by N twice"),
    # what changes the arrays that it was given
    (R_WRITES, RELU_F, F, "out = x.copy()", "out = x", "changes the x that it was given"),
    (R_SIGN, RELU_F, F, "np.fmax(x, 0.0)", "np.fmax(x, 0.0, out=x)",
     "changes the x that it was given"),
    (SVM_OUT, "svm_loss", F, "np.clip(x - target + 1, 0, None)",
     "np.clip(np.add(x, 1 - target, out=x), 0, None)", "changes the x that it was given"),
    (D_SCALED, DO_F, F, "out = x * mask", "x *= mask\n        out = x",
     "changes the x that it was given"),
    # ReLU and dense layers
    (R_ABS, RELU_F, F, "0.5 * (x + np.abs(x))", "np.abs(x)", "Negative x keep their size"),
    (R_SIGN, "relu_backward", B, "np.sign(cache) * dout", "cache * dout",
     "dy is multiplied with x"),
    (R_SIGN, "relu_backward", B, "np.sign(cache) * dout", "np.sign(cache)", "It is 1 where"),
    ("affine_reshape_cs231n.py", "affine_backward", E, ".reshape(x.shape)", "",
     "dx goes back to x's shape"),
    # a softmax whose sum runs over the batch
    (S_LSE, "softmax", F,
     "x, axis=-1, keepdims=True)\n    e = np.exp(x - top)\n    return e / np.sum(e, axis=-1, ",
     "x, axis=0, keepdims=True)\n    e = np.exp(x - top)\n    return e / np.sum(e, axis=0, ",
     "The sum runs over the batch"),
    (S_LSE, "softmax", F, "e / np.sum(e, axis=-1, keepdims=True)", "e / np.sum(e)",
     "The sum runs over all rows"),
    (S_TRANSPOSED, "softmax", F, "        y = np.exp(x) / np.sum(np.exp(x), axis=0)",
     "        y = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)",
     "The sum runs over the batch"),
    (S_TRANSPOSED, "softmax", F, "y = np.exp(x) / np.sum(np.exp(x), axis=0)", "y = np.exp(x)",
     "exp(x - max x) is not divided by its sum"),
    # the hinge loss
    (SVM_LOOPS, "svm_loss", F, "return loss / N, dx / N", "return loss, dx / N", "divide by N"),
    (SVM_LOOPS, "svm_loss", F, "            if c == y[n]:\n                continue\n", "",
     "The label's own class is counted"),
    (SVM_LOOPS, "svm_loss", B, "                dx[n, y[n]] -= 1\n", "",
     "lacks minus the number of positive margins"),
    (SVM_LOOPS, "svm_loss", B, "dx[n, y[n]] -= 1", "dx[n, y[n]] = -1", "At the label stands -1"),
    (SVM_LOOPS, "svm_loss", B, "return loss / N, dx / N", "return loss / N, dx",
     "not divided by N"),
    (SVM_OUT, "svm_loss", F, ".mean() - 1", ".mean()", "The label's own class is counted"),
    (SVM_LOOPS, "svm_loss", F, " + 1\n", "\n", "The 1 is missing"),
    (SVM_OUT, "svm_loss", B, "    active[rows, y] = 0\n", "",
     "the label's own margin is counted with the positive ones"),
    (SVM_MATRIX, "svm_loss", B, "active - np.einsum", "active + np.einsum", "is added"),
    (SVM_MATRIX, "svm_loss", F, '"nc,nc->", margins, active', '"nc,nc->", margins**2, active',
     "squared"),
]
"""Faults that the catalogue has no name for: file, function, verdict, old, new, and the words."""
