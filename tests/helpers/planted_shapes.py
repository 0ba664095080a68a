"""Planted axes: the right numbers in another shape.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

PLANTED = [
    ("axis-kept", "affine_sample_loop_cs231n.py", "affine_backward", "wrong-backward",
     "    db = np.zeros(w.shape[1])\n", "    db = np.zeros((1, w.shape[1]))\n"),
    ("axis-kept", "dense_einsum_minicnn.py", "dense_backward", "wrong-backward",
     'np.einsum("no->o", dy)', "dy.sum(0, keepdims=True)"),
    ("axis-kept", "conv_im2col_cs231n.py", "conv_backward_naive", "wrong-backward",
     "    db = d.sum(axis=(0, 2))\n", "    db = d.sum(axis=(0, 2))[:, None]\n"),
    ("axis-kept", "conv_as_strided_minicnn.py", "conv2d_backward", "wrong-backward",
     "dy.sum(axis=(0, 1, 2))", "dy.sum(axis=(0, 1, 2), keepdims=True)"),
    ("axis-kept", "spatial_batchnorm_direct_cs231n.py", "spatial_batchnorm_backward",
     "wrong-backward", "dgamma = np.sum(dout * xn, axis=AXES)",
     "dgamma = np.sum(dout * xn, axis=AXES, keepdims=True)"),
    ("axis-kept", "batchnorm_staged_graph_cs231n.py", "batchnorm_backward", "wrong-backward",
     "dbeta = np.sum(dout, axis=0)", "dbeta = np.sum(dout, axis=0).reshape(1, -1)"),
    ("axis-kept", "batchnorm_einsum_minicnn.py", "batchnorm_backward", "wrong-backward",
     "return dx.reshape(dy.shape), dgamma, dbeta",
     "return dx.reshape(dy.shape), dgamma[:, None], dbeta[:, None]"),
]
