"""What students call layers, their arguments and their arrays."""

import re

FORWARDS = ("forward", "forward_pass", "forward_prop", "forward_propagation", "fprop")
BACKWARDS = ("backward", "backward_pass", "backward_prop", "backward_propagation", "bprop",
             "backprop")
"""Names of the methods."""

_FILLERS = re.compile(
    r"\d+d|_|layer(?!norm)|module|activation|numpy|custom|simple|naive|^my|spatial|\d")
_OPERATIONS = (
    ("batchnorm", r"batchnorm(ali[sz]ation)?|bn"),
    ("layernorm", r"layernorm(ali[sz]ation)?|ln"),
    ("conv2d", r"conv(olution(al)?)?"),
    ("maxpool2d", r"(max)?pool(ing)?"),
    ("avgpool2d", r"(avg|average|mean)pool(ing)?"),
    ("dense", r"affine|dense|linear|fullyconnected|fc|innerproduct"),
    ("relu", r"relu|rectifiedlinear(unit)?"),
    ("leaky_relu", r"leakyrelu|lrelu"),
    ("elu", r"elu"),
    ("dropout", r"(inverted)?dropout"),
    ("softmax_cross_entropy",
     r"softmax(with|and)?(loss|(categorical)?crossentropy(loss)?|ce(loss)?)"),
)

_SIZE = r"(n|num|number|no|of|dims?|size|fan|d|features?|units?|neurons?|nodes?|channels?|ch|c" \
        r"|planes|depth|shape|maps?)"
_IN = rf"({_SIZE}_?)*in(put)?s?(_?{_SIZE})*"
_OUT = rf"({_SIZE}_?)*out(put)?s?(_?{_SIZE})*"
_HEIGHT = r"(pool|kernel|filter|k|f|p|w)?_?(h|height)|hh"
_WIDTH = r"(pool|kernel|filter|k|f|p|w)?_?(w|width)|ww"
_WINDOW = (
    ("stride", r"strides?|s|step"),
    ("padding", r"pad(ding)?s?|p|zero_?pad(ding)?"),
)
_NORM = (
    ("running_mean", r"(running|moving|run|avg|test)_?(mean|mu|m)"),
    ("running_var", r"(running|moving|run|avg|test)_?(v(ar(iance)?)?)"),
    ("momentum", r"mom(entum)?|rho|decay|alpha"),
    ("eps", r"eps(ilon)?"),
    ("gamma", r"gamma|g|scale|b?w(eights?)?"),
    ("beta", r"beta|b?b(ias(es)?)?|shift|offset"),
    ("features", rf"{_IN}|(n|num)?_?(features|channels|units|neurons|hidden|dims?)(_?size)?|d|c|n"
                 r"|size|shape|dim(ension)?"),
)
_SWITCH = (
    ("training", r"(is_?)?train(ing)?(_?(flg|flag|mode|phase))?|mode|phase"),
    ("evaluating", r"(is_?)?(eval(uat(e|ion|ing))?|test(ing)?|inference|predict)"),
)
_MEANINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "dense": (
        ("w", r"w(eights?)?|kernel|theta|wt"), ("b", r"b(ias(es)?)?"), ("inputs", rf"{_IN}|d"),
        ("outputs", rf"{_OUT}|(n|num)?_?(units|neurons|hidden|nodes)(_?(size|dim|units))?|m|size"),
    ),
    "conv2d": (
        ("w", r"w(eights?)?|kernels?|filters?"), ("b", r"b(ias(es)?)?"),
        ("outputs", rf"{_OUT}|c_?out|f|(n|num)_?(of_?)?(filters?|kernels?|k|f)|(filters?|kernels?)"
                    r"(_?(num|n|count))?|depth"),
        ("size", r"(kernel|filter|k|f|window)_?(size|s|dim|shape)?|size"),
        ("inputs", rf"{_IN}|c_?in|c|(n|num)?_?channels?"),
        ("height", _HEIGHT), ("width", _WIDTH), *_WINDOW,
    ),
    "maxpool2d": (
        ("height", _HEIGHT), ("width", _WIDTH), *_WINDOW,
        ("size", r"(pool(ing)?|kernel|filter|window|k|f)?_?(size|s|shape|dim)?"),
    ),
    "batchnorm": _NORM,
    "leaky_relu": (("slope", r"(neg(ative)?_?)?slope|alpha|a|leak(y|age)?(_?(slope|rate))?|rate"),),
    "elu": (("alpha", r"alpha|a"),),
    "dropout": (
        ("keep", r"p?_?keep(_?(prob(ability)?|rate|ratio|p))?|retain.*"),
        ("rate", r"(drop_?(out)?_?)?(rate|ratio|prob(ability)?|p)|drop_?(out)?"),
        ("seed", r"seed"),
    ),
}
_MEANINGS["avgpool2d"] = _MEANINGS["maxpool2d"]
_MEANINGS["layernorm"] = _NORM

STATE = {
    "layernorm": ("gamma", "beta"), "dense": ("w", "b"), "conv2d": ("w", "b"),
    "batchnorm": ("gamma", "beta", "running_mean", "running_var"),
}
"""The arrays that an operation's layer keeps, in the order of minicnn's arguments after x."""


def operation_of(name: str) -> str | None:
    """The operation that a class of this name is likely to be; None where none is."""
    plain = _FILLERS.sub("", name.lower())
    return next((op for op, pattern in _OPERATIONS if re.fullmatch(pattern, plain)), None)


def meanings(operation: str, name: str) -> list[str]:
    """What an argument, or an attribute, of this name may be, likeliest first."""
    known = (*_SWITCH, *_MEANINGS.get(operation, ()))
    return [key for key, pattern in known if re.fullmatch(pattern, name.lower().strip("_"))]


def is_gradient_of(name: str, of: str) -> bool:
    """Whether an attribute's name says that it is the gradient of another: dW, W_grad, dLdW."""
    plain, of = name.lower().replace("_", ""), of.lower().replace("_", "")
    return plain in {
        f"d{of}", f"dl{of}", f"dld{of}", f"{of}grad", f"grad{of}", f"{of}gradient", f"gradient{of}",
        f"delta{of}", f"{of}delta", f"nabla{of}", f"gradwrt{of}", f"djd{of}", f"g{of}",
        f"{of}grads",
    }
