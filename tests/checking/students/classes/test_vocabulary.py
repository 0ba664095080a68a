"""What students call layers and their arguments, and what these names do not say."""

import pytest

from minicnn.checking.students.classes.vocabulary import is_gradient_of, meanings, operation_of


@pytest.mark.parametrize(("name", "operation"), [
    ("Affine", "dense"), ("LinearLayer", "dense"), ("Layer_Dense", "dense"), ("FC", "dense"),
    ("FullyConnectedLayer", "dense"), ("Relu", "relu"), ("Activation_ReLU", "relu"),
    ("LeakyReLU", "leaky_relu"), ("Conv2d", "conv2d"), ("ConvolutionLayer", "conv2d"),
    ("MyConv", "conv2d"), ("Pooling", "maxpool2d"), ("MaxPool2D", "maxpool2d"),
    ("AvgPooling", "avgpool2d"), ("BatchNormalization", "batchnorm"), ("BatchNorm1d", "batchnorm"),
    ("SpatialBatchNorm", "batchnorm"), ("Dropout", "dropout"),
    ("LayerNorm", "layernorm"), ("LayerNormLayer", "layernorm"),
    ("SoftmaxWithLoss", "softmax_cross_entropy"),
    ("SoftmaxCrossEntropyLoss", "softmax_cross_entropy"),
    ("Sigmoid", None), ("Softmax", None), ("TwoLayerNet", None), ("Conv3DTranspose", None),
    ("CrossEntropyLoss", None), ("Reluctant", None),
])
def test_operations_by_the_names_of_classes(name: str, operation: str | None) -> None:
    assert operation_of(name) == operation


@pytest.mark.parametrize(("operation", "name", "first"), [
    ("dense", "W", "w"), ("dense", "in_features", "inputs"), ("dense", "input_size", "inputs"),
    ("dense", "n_out", "outputs"), ("dense", "units", "outputs"), ("dense", "bias", "b"),
    ("conv2d", "filters", "w"), ("conv2d", "num_filters", "outputs"), ("conv2d", "kernel_size",
                                                                      "size"),
    ("conv2d", "FH", "height"), ("conv2d", "in_channels", "inputs"), ("conv2d", "pad", "padding"),
    ("conv2d", "channel_in", "inputs"), ("conv2d", "number_of_output_channels", "outputs"),
    ("dense", "in_feature", "inputs"), ("dense", "num_output", "outputs"),
    ("maxpool2d", "pool_w", "width"), ("maxpool2d", "strides", "stride"),
    ("batchnorm", "num_features", "features"), ("batchnorm", "epsilon", "eps"),
    ("batchnorm", "running_var", "running_var"), ("batchnorm", "weight", "gamma"),
    ("dropout", "keep_prob", "keep"), ("dropout", "dropout_ratio", "rate"), ("dropout", "p",
                                                                            "rate"),
    ("dropout", "train_flg", "training"), ("batchnorm", "is_test", "evaluating"),
])
def test_meanings_of_arguments(operation: str, name: str, first: str) -> None:
    assert meanings(operation, name)[0] == first


@pytest.mark.parametrize("name", ["foo", "activation", "lr", "name", "optimizer"])
def test_names_that_say_nothing(name: str) -> None:
    assert meanings("dense", name) == []


@pytest.mark.parametrize(("name", "of", "is_one"), [
    ("dW", "W", True), ("W_grad", "W", True), ("grad_W", "W", True), ("dLdW", "W", True),
    ("dweights", "weights", True), ("weights", "weights", False), ("db", "W", False),
    ("dgamma", "gamma", True),
])
def test_names_of_gradients(name: str, of: str, is_one: bool) -> None:
    assert is_gradient_of(name, of) == is_one
