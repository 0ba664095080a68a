"""Planted faults of classes: single edits of correct layers.

Each row: (fault id, file, function at fault, verdict, old text, new text).
"""

GIVEN = "classes_arrays_given.py"
SIZES = "classes_sizes_given.py"
CACHE = "classes_cache_returned.py"
OBJECTS = "classes_parameter_objects.py"
LISTS = "classes_lists.py"
KEPT = "classes_results_kept.py"
RATE = "classes_learning_rate.py"
LAST = "classes_channels_last.py"
COLUMNS = "classes_columns.py"
LESS = "classes_without_extras.py"
MADE = "classes_made_by_init_param.py"
WRONG, BACK = "wrong-forward", "wrong-backward"

PLANTED = [
    ("relu-mask-from-dy", GIVEN, "Relu.backward", BACK,
     "np.where(self.mask, 0, dout)", "np.where(dout <= 0, 0, dout)"),
    ("relu-mask-missing", KEPT, "Activation_ReLU.backward", BACK,
     "        self.dinputs[self.inputs <= 0] = 0\n", ""),
    ("dense-db-averaged", GIVEN, "Affine.backward", BACK,
     "self.db = dout.sum(axis=0)\n        return (dout", "self.db = dout.mean(axis=0)\n"
     "        return (dout"),
    ("dense-db-averaged", RATE, "DenseLayer.backward", BACK,
     "learning_rate * self.x.T @ grad", "learning_rate * self.x.T @ grad / len(grad)"),
    ("dense-db-averaged", OBJECTS, "Dense.backward", BACK,
     "self.bias.grad += dy.sum(0)", "self.bias.grad += dy.mean(0)"),
    ("dense-db-averaged", LISTS, "AffineLayer.backward", BACK,
     "self.grads[1][...] = np.sum(dout, axis=0)", "self.grads[1][...] = np.mean(dout, axis=0)"),
    ("dense-db-averaged", COLUMNS, "FCLayer.backward", BACK,
     "self.dW = dz @ self.x.T", "self.dW = dz @ self.x.T / dz.shape[1]"),
    ("dense-bias-missing", KEPT, "Layer_Dense.forward", WRONG,
     "np.dot(inputs, self.weights) + self.biases", "np.dot(inputs, self.weights)"),
    ("dense-bias-missing", SIZES, "Linear.forward", WRONG,
     "x @ self.weight.T + self.bias", "x @ self.weight.T"),
    ("conv-missing-bias", SIZES, "Conv2d.forward", WRONG,
     "return out + self.bias[:, :, None]", "return out"),
    ("conv-true-convolution", GIVEN, "Convolution.forward", WRONG,
     "self.flat @ self.W.reshape", "self.flat @ self.W[:, :, ::-1, ::-1].reshape"),
    ("conv-dx-overwritten", LAST, "Conv.backward", BACK,
     'dx[at] += np.einsum("nf', 'dx[at] = np.einsum("nf'),
    ("conv-dw-averaged", SIZES, "Conv2d.backward", BACK,
     "self.padded[at], (0, 0))", "self.padded[at], (0, 0)) / len(g)"),
    ("conv-dx-kernel-not-rotated", RATE, "ConvLayer.backward", BACK,
     "self.filters[:, :, ::-1, ::-1]", "self.filters"),
    ("pool-overlap-overwritten", LAST, "MaxPooling.backward_pass", BACK,
     "c] += dout[n, i, j, c]", "c] = dout[n, i, j, c]"),
    ("pool-gradient-spread", SIZES, "MaxPool2d.backward", BACK,
     "dx[n, c, i * s + row, j * s + col] += g",
     "dx[n, c, i * s:i * s + k, j * s:j * s + k] += g / k ** 2"),
    ("bn-missing-variance-term", LAST, "BatchNormLayer.backward", BACK,
     " - self.normal * (dout * self.normal).mean(axes)", ""),
    ("bn-missing-mean-term", LESS, "BatchNorm.backward", BACK,
     "dy - dy.mean(0) - self.xn", "dy - self.xn"),
    ("bn-gamma-missing", CACHE, "BatchNorm1d.backward", BACK,
     "self.gamma / (n * std)", "1 / (n * std)"),
    ("bn-dgamma-not-normalized", GIVEN, "BatchNormalization.backward", BACK,
     "self.dgamma = (dout * self.normal)", "self.dgamma = (dout * self.centred)"),
    ("bn-running-not-updated", SIZES, "BatchNorm2d.forward", WRONG,
     "            self.running_mean += self.momentum * (mean - self.running_mean)\n", ""),
    ("bn-running-momentum-swapped", CACHE, "BatchNorm1d.forward", WRONG,
     "self.momentum * old + (1 - self.momentum) * new",
     "(1 - self.momentum) * old + self.momentum * new"),
    ("bn-eval-uses-batch", GIVEN, "BatchNormalization.forward", WRONG,
     "normal = (x - self.running_mean) / np.sqrt(self.running_var + 1e-6)",
     "normal = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-6)"),
    ("dropout-not-scaled", KEPT, "Layer_Dropout.forward", WRONG,
     "size=inputs.shape) / self.rate", "size=inputs.shape)"),
    ("dropout-scaled-in-eval", SIZES, "Dropout.forward", WRONG,
     "self.mask = np.ones_like(x)", "self.mask = np.ones_like(x) / (1 - self.p)"),
    ("dropout-new-mask-in-backward", LESS, "Dropout.backward", BACK,
     "return dy * self.mask",
     "return dy * (np.random.random(dy.shape) < self.keep_prob) / self.keep_prob"),
    ("dropout-new-mask-in-backward", GIVEN, "Dropout.backward", BACK,
     "return dout * self.mask\n\n\nclass SoftmaxWithLoss",
     "return dout\n\n\nclass SoftmaxWithLoss"),
    ("softmax-missing-mean", GIVEN, "SoftmaxWithLoss.backward", BACK,
     "return dx / len(dx)", "return dx"),
    ("softmax-gradient-no-onehot", LISTS, "SoftmaxLoss.backward", BACK,
     "dloss * (self.p - self.targets)", "dloss * self.p"),
    ("softmax-overflow", GIVEN, "SoftmaxWithLoss.forward", WRONG,
     "shifted = x - x.max(axis=1, keepdims=True)", "shifted = x"),
    ("ln-missing-mean-term", MADE, "LayerNorm.backward", BACK,
     "return (g - along - self.normal * across)", "return (g - self.normal * across)"),
    ("ln-missing-variance-term", MADE, "LayerNorm.backward", BACK,
     "return (g - along - self.normal * across)", "return (g - along)"),
    ("conv-dx-not-cropped", MADE, "ConvolutionalLayer.backward", "error",
     "return bottom[:, :, p:bottom.shape[2] - p, p:bottom.shape[3] - p]", "return bottom"),
    ("bn-wrong-count", MADE, "BatchNorm1d.backward", BACK,
     "self.NZ * self.dLdBW) / len(dLdBZ))", "self.NZ * self.dLdBW) / (len(dLdBZ) - 1))"),
]
