"""The small functions that courses build a convolution and a pooling of: a step of each."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.operation import Operation, Suspect


@dataclass
class Step(Operation):
    """A forward that is none of the package's; `right` gives its y."""

    right: Callable[[Case], np.ndarray] = field(kw_only=True)

    def right_forward(self, case: Case) -> np.ndarray:
        """The right y."""
        return self.right(case)


def _pad(case: Case) -> np.ndarray:
    p = case["padding"]
    return np.pad(case["x"], ((0, 0), (p, p), (p, p), (0, 0)))


def _pad_of_other_axes(case: Case, axes: tuple[int, ...]) -> np.ndarray:
    p = case["padding"]
    return np.pad(case["x"], [(p, p) if axis in axes else (0, 0) for axis in range(4)])


def _pad_on_one_side(case: Case, before: int) -> np.ndarray:
    sides = (2 * case["padding"], 0) if before else (0, 2 * case["padding"])
    return np.pad(case["x"], ((0, 0), sides, sides, (0, 0)))


def _padded_case(shape: tuple[int, ...], padding: int) -> Case:
    values = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    return Case({"x": values}, {"padding": padding})


ZERO_PAD = Step(
    "zero_pad",
    [_padded_case((2, 3, 4, 5), 1), _padded_case((3, 4, 2, 1), 2), _padded_case((1, 2, 5, 3), 3)],
    [_padded_case((1, 1, 2, 1), 1), _padded_case((1, 1, 2, 1), 2), _padded_case((2, 3, 4, 5), 1)],
    [
        *(
            Suspect("conv-padding-fixed", lambda case, number=number: np.pad(
                case["x"], ((0, 0), (number, number), (number, number), (0, 0))),
                f"The padding is {number} whatever pad is.")
            for number in (0, 1, 2)
        ),
        *(
            Suspect("conv-padding-shifted", lambda case, before=before: _pad_on_one_side(
                case, before), "All of it stands on one side.")
            for before in (0, 1)
        ),
        *(
            Suspect("", lambda case, axes=axes: _pad_of_other_axes(case, axes),
                    "The padding belongs to the height and the width, axes 1 and 2 of (m, n_H, "
                    f"n_W, n_C); here it goes to the axes {', '.join(map(str, axes))}.")
            for axes in ((0, 1, 2, 3), (0, 1), (2, 3), (1, 2, 3), (0, 1, 2), (1, 3), (0, 2), (0, 3),
                         (1,), (2,))
        ),
    ],
    right=_pad,
)


def _one_product(case: Case) -> np.ndarray:
    """Equation 1 for one window and one filter."""
    return np.asarray((case["x"] * case["w"]).sum() + case["b"].sum())


def _step_case(rng: np.random.Generator, *shape: int, whole: bool = False) -> Case:
    arrays = {"x": rng.standard_normal(shape), "w": rng.standard_normal(shape),
              "b": rng.standard_normal((1, 1, 1))}
    if whole:
        arrays = {name: np.round(3 * array) + 0.0 for name, array in arrays.items()}
        arrays["b"][...] = 2
    return Case(arrays, {})


def _step_cases() -> list[Case]:
    rng = np.random.default_rng(41)
    return [_step_case(rng, 3, 3, 4), _step_case(rng, 2, 2, 5), _step_case(rng, 4, 4, 1)]


def _small_steps() -> list[Case]:
    rng = np.random.default_rng(42)
    return [_step_case(rng, 1, 1, 1, whole=True), _step_case(rng, 2, 2, 1, whole=True),
            _step_case(rng, 2, 2, 2, whole=True)]


CONV_SINGLE_STEP = Step(
    "conv_single_step", _step_cases(), _small_steps(),
    [
        Suspect("conv-missing-bias", lambda case: np.asarray((case["x"] * case["w"]).sum())),
        *(
            Suspect("conv-true-convolution", lambda case, flip=flip: np.asarray(
                (case["x"] * case["w"][flip]).sum() + case["b"].sum()))
            for flip in (np.s_[::-1, ::-1], np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1, ::-1])
        ),
        Suspect("", lambda case: (case["x"] * case["w"] + case["b"]).sum(), (
            "b is added to every product before they are summed; it belongs behind the sum, once."
        )),
        Suspect("", lambda case: np.asarray((case["x"] * case["w"]).mean() + case["b"].sum()),
                "The products are averaged; they belong summed."),
    ],
    right=_one_product,
)


def _mask(case: Case) -> np.ndarray:
    """1 where the maximum stands: no case has ties."""
    return (case["x"] == case["x"].max()).astype(float)


def _window_cases() -> list[Case]:
    rng = np.random.default_rng(43)
    return [
        Case({"x": rng.permutation(rows * columns).reshape(rows, columns) / 2 - offset}, {})
        for rows, columns, offset in ((2, 3, 0), (3, 3, 1), (4, 2, 9), (1, 5, 1))
    ]


CREATE_MASK = Step(
    "create_mask_from_window", _window_cases(),
    [Case({"x": np.array([[1.0, 3.0]])}, {}), Case({"x": np.array([[-2.0, -1.0]])}, {}),
     Case({"x": np.array([[1.0, 3.0], [4.0, 2.0]])}, {}), *_window_cases()],
    [
        Suspect("", lambda case: _mask(case) * case["x"].max(),
                "The mask holds the maximum itself; it belongs True there."),
        Suspect("", lambda case: np.asarray(case["x"].max()),
                "That is the maximum; the mask is an array of x's shape, True where it stands."),
        Suspect("", lambda case: (case["x"] == case["x"].max(0)).astype(float),
                "The maximum is taken along one axis; it belongs to the whole window."),
        Suspect("", lambda case: (case["x"] == case["x"].max(1, keepdims=True)).astype(float),
                "The maximum is taken along one axis; it belongs to the whole window."),
        Suspect("", lambda case: 1 - _mask(case), "The mask is the other way round."),
    ],
    right=_mask,
)


def _distributed(case: Case) -> np.ndarray:
    """Equation 5 for one window."""
    rows, columns = case["shape"]
    return np.full((rows, columns), case["dz"] / (rows * columns))


def _value_cases() -> list[Case]:
    return [
        Case({}, {"dz": dz, "shape": shape})
        for dz, shape in ((2.0, (2, 2)), (-3.0, (2, 3)), (5.0, (4, 3)), (0.5, (1, 5)))
    ]


DISTRIBUTE_VALUE = Step(
    "distribute_value", _value_cases(),
    [Case({}, {"dz": 2.0, "shape": shape}) for shape in ((1, 2), (2, 2), (2, 3))],
    [
        *(
            Suspect("height-width-exchanged", lambda case, axis=axis: np.full(
                case["shape"], case["dz"] / case["shape"][axis] ** 2),
                "The window need not be as high as wide.")
            for axis in (0, 1)
        ),
        Suspect("height-width-exchanged", lambda case: _distributed(case).T),
        Suspect("", lambda case: np.full(case["shape"], case["dz"]),
                "Every place receives all of dz, where it receives dz divided by the number of "
                "places."),
        *(
            Suspect("", lambda case, axis=axis: np.full(
                case["shape"], case["dz"] / case["shape"][axis]),
                "dz is divided by the length of one axis; it is the number of places that counts.")
            for axis in (0, 1)
        ),
        Suspect("", lambda case: np.full(case["shape"], 1 / np.prod(case["shape"])),
                "dz is missing: that is the part of 1."),
        Suspect("", lambda case: np.full(case["shape"], float(np.prod(case["shape"]))),
                "That is the number of places; dz is divided by it."),
    ],
    right=_distributed,
)
