"""Pooling: the cases that tell its faults apart, and what each fault would produce."""

from collections.abc import Callable, Iterator

import numpy as np

from minicnn.checking.students.operations.case import Case
from minicnn.checking.students.operations.observation import TOLERANCE
from minicnn.checking.students.operations.operation import Operation, Suspect

Place = tuple[int, int]


def _case(
    x: np.ndarray, size: int | tuple[int, int], stride: int, *, padding: int = 0,
) -> Case:
    """A window of two sizes may be refused, for not everybody's takes pairs, and so may a stride
    that does not divide."""
    settings = {"size": size, "stride": stride, "padding": padding}
    rows, columns = size if isinstance(size, tuple) else (size, size)
    rests = (x.shape[1] + 2 * padding - rows, x.shape[2] + 2 * padding - columns)
    may_refuse: tuple[type[BaseException], ...] = ()
    if isinstance(size, tuple):
        may_refuse = (TypeError, ValueError, AssertionError)
    elif any(rest % stride for rest in rests):
        may_refuse = (ValueError, AssertionError)
    return Case({"x": x.astype(float)}, settings, may_refuse)


def _size(case: Case) -> tuple[int, int]:
    """(KH, KW)."""
    size = case["size"]
    return size if isinstance(size, tuple) else (size, size)


def _distinct(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Values of both signs without ties."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) - size / 2) / 4).reshape(shape)


def _cases() -> list[Case]:
    """Windows that overlap, tile and leave gaps; without ties, and with many."""
    rng = np.random.default_rng(30)
    return [
        _case(_distinct(rng, 3, 4, 6, 5), 2, 2),
        _case(_distinct(rng, 3, 7, 5, 2), 3, 2),
        _case(_distinct(rng, 2, 4, 5, 3), 2, 1),
        _case(_distinct(rng, 2, 8, 11, 3), 2, 3),
        _case(rng.integers(0, 2, (3, 6, 4, 5)), 2, 2),
        _case(rng.integers(-1, 1, (2, 7, 5, 3)), 3, 2),
        _case(_distinct(rng, 2, 5, 7, 3), (3, 2), 1),
        _case(_distinct(rng, 3, 6, 8, 2), (2, 4), 2),
        _case(_distinct(rng, 3, 5, 7, 2) - 40, 3, 2, padding=1),
        _case(_distinct(rng, 2, 6, 4, 3) - 40, 2, 2, padding=1),
        _case(_distinct(rng, 2, 8, 6, 3), 3, 2),
    ]


def _small() -> list[Case]:
    rng = np.random.default_rng(31)
    line = np.array([1.0, 3, 2, 5, 4]).reshape(1, 1, 5, 1)
    return [
        _case(line[:, :, :2], (1, 2), 1),
        _case(np.ones((1, 1, 2, 1)), (1, 2), 1),
        _case(line[:, :, :3], (1, 2), 1),
        _case(line[:, :, :4], (1, 2), 2),
        _case(line, (1, 2), 3),
        _case(_distinct(rng, 1, 2, 2, 1) * 4, 2, 2),
        _case(np.ones((1, 2, 2, 1)), 2, 2),
        _case(_distinct(rng, 1, 3, 3, 1) * 4, 2, 1),
        _case(-np.ones((1, 2, 2, 1)), 2, 2, padding=1),
        _case(_distinct(rng, 2, 5, 3, 2) * 4, 2, 3),
        _case(_distinct(rng, 2, 5, 7, 2) * 4, 3, 2),
    ]


def _padded(case: Case) -> np.ndarray:
    """x with its padding, which never wins."""
    p = case["padding"]
    return np.pad(case["x"], ((0, 0), (p, p), (p, p), (0, 0)), constant_values=-np.inf)


def _windows(
    case: Case, stride: Place | None = None, *, own_number: bool = False
) -> Iterator[tuple[Place, tuple[slice, slice]]]:
    """Each output pixel and its window in the padded image.

    With another stride than the case's there are as many windows as the right one gives, cut off at
    the image's end; or, with `own_number`, as many as that stride gives.
    """
    _, height, width, _ = _padded(case).shape
    rows, columns = _size(case)
    right = (case["stride"],) * 2
    down, across = stride or right
    number = (down, across) if own_number else right
    for i, j in np.ndindex((height - rows) // number[0] + 1, (width - columns) // number[1] + 1):
        yield (i, j), (slice(i * down, i * down + rows), slice(j * across, j * across + columns))


def _forward(case: Case, stride: Place, own_number: bool) -> np.ndarray:
    """Windows at another stride; nan where one lies outside the image."""
    x = _padded(case)
    windows = list(_windows(case, stride, own_number=own_number))
    last = windows[-1][0]
    y = np.full((len(x), last[0] + 1, last[1] + 1, x.shape[3]), np.nan)
    for (i, j), window in windows:
        pixels = x[:, *window]
        if pixels.size:
            y[:, i, j] = pixels.max((1, 2))
    return y


Share = Callable[[np.ndarray], np.ndarray]


def _first(pixels: np.ndarray) -> np.ndarray:
    """Where the first maximum of a window (N, KH, KW, C) stands: 1 there, else 0."""
    n, rows, columns, channels = pixels.shape
    flat = pixels.reshape(n, rows * columns, channels)
    share = np.arange(rows * columns)[None, :, None] == flat.argmax(1)[:, None]
    return share.reshape(pixels.shape).astype(float)


def _last(pixels: np.ndarray) -> np.ndarray:
    """Where the last maximum stands."""
    return _first(pixels[:, ::-1, ::-1])[:, ::-1, ::-1]


def _all(pixels: np.ndarray) -> np.ndarray:
    """Every maximum."""
    return (pixels == pixels.max((1, 2), keepdims=True)).astype(float)


def _equally(pixels: np.ndarray) -> np.ndarray:
    """Every maximum, an equal part each."""
    shares = _all(pixels)
    return shares / shares.sum((1, 2), keepdims=True)


def _spread(pixels: np.ndarray) -> np.ndarray:
    """Every pixel, an equal part each."""
    return np.full(pixels.shape, 1 / np.prod(pixels.shape[1:3]))


def _spread_inside(pixels: np.ndarray) -> np.ndarray:
    """Every pixel that is no padding, an equal part each."""
    inside = np.isfinite(pixels)
    return inside / inside.sum((1, 2), keepdims=True)


def _spread_whole(pixels: np.ndarray) -> np.ndarray:
    """Every pixel, all of it."""
    return np.ones(pixels.shape)


def _gradient(
    share: Share, stride: Callable[[Case], Place | None] = lambda case: None, *,
    overwrite: str = "", maximum: str = "own",
) -> Callable[[Case, np.ndarray], np.ndarray]:
    """dx where each window hands on its dy by shares.

    `overwrite` names what assigns where it should add. At another stride `maximum` says which one
    is meant: the window's own, that of the ``"right"`` window by its place, or by its ``"value"``.
    """

    def predict(case: Case, dy: np.ndarray) -> np.ndarray:
        x, rim = _padded(case), case["padding"]
        dx = np.zeros(x.shape)
        right = dict(_windows(case))
        windows = list(_windows(case, stride(case)))
        for (i, j), window in windows[::-1] if "first" in overwrite else windows:
            pixels = x[:, *(right[i, j] if maximum == "right" else window)]
            target = dx[:, *window]
            if not target.size:
                continue
            shares = share(pixels)[:, : target.shape[1], : target.shape[2]]
            if maximum == "value":
                hit = pixels == x[:, *right[i, j]].max((1, 2), keepdims=True)
                shares = share(hit) * hit
            handed = shares * dy[:, i, j, None, None]
            if not overwrite:
                target += handed
            elif "window" in overwrite:
                target[...] = handed
            else:
                target[...] = np.where(shares > 0, handed, target)
        return dx[:, rim : x.shape[1] - rim, rim : x.shape[2] - rim]

    return predict


def _strides() -> list[Callable[[Case], Place]]:
    """What stands in for the stride: the size, or 1; along both axes or one."""
    return [
        _size,
        lambda case: (_size(case)[0],) * 2,
        lambda case: (_size(case)[1],) * 2,
        lambda case: (1, 1),
        lambda case: (_size(case)[0], case["stride"]),
        lambda case: (case["stride"], _size(case)[1]),
        lambda case: (1, case["stride"]),
        lambda case: (case["stride"], 1),
    ]


def _forward_suspects() -> list[Suspect]:
    return [
        Suspect("pool-stride-ignored", lambda case, stride=stride, own=own: _forward(
            case, stride(case), own))
        for stride in _strides() for own in (False, True)
    ]


def _dx_suspects() -> list[Suspect]:
    return [
        Suspect("pool-ties-shared", _gradient(_all), "Every maximum receives all of it."),
        Suspect("pool-ties-shared", _gradient(_equally), "They receive equal parts."),
        *(
            Suspect("pool-overlap-overwritten", _gradient(share, overwrite=how))
            for share in (_first, _last, _all, _equally)
            for how in ("maximum", "window", "maximum, first", "window, first")
        ),
        *(
            Suspect("pool-gradient-spread", _gradient(share))
            for share in (_spread, _spread_inside, _spread_whole)
        ),
        *(
            Suspect("pool-stride-ignored", _gradient(share, stride, maximum=maximum))
            for stride in _strides() for share in (_first, _all)
            for maximum in ("own", "right", "value")
        ),
    ]


def _is_one_of_the_ties(case: Case, dy: np.ndarray, dx: np.ndarray) -> bool:
    """Whether every window hands all of its dy to one of its maxima, whichever that is.

    Where windows overlap, only what follows from it is asked: nothing but maxima receive, and
    nothing is lost.
    """
    if dx.shape != case["x"].shape:
        return False
    x, rim = _padded(case), case["padding"]
    dx = np.pad(dx, ((0, 0), (rim, rim), (rim, rim), (0, 0)))
    rows, columns = _size(case)
    apart = case["stride"] >= max(rows, columns)
    reached = np.zeros(x.shape, bool)
    for (i, j), window in _windows(case):
        maxima = _all(x[:, *window]) > 0
        reached[:, *window] |= maxima
        received = np.sort(np.abs(np.where(maxima, dx[:, *window], 0)).reshape(
            len(x), rows * columns, -1), axis=1)
        one = np.abs(received[:, -1] - np.abs(dy[:, i, j])) <= TOLERANCE
        if apart and not (one.all() and (received[:, :-1] <= TOLERANCE).all()):
            return False
    kept = np.allclose(dx.sum((1, 2)), dy.sum((1, 2)), atol=TOLERANCE * dy[0, ..., 0].size)
    return bool(kept and (np.abs(dx[~reached]) <= TOLERANCE).all())


MAXPOOL2D = Operation(
    "maxpool2d", _cases(), _small(), _forward_suspects(), {"dx": _dx_suspects()},
    also_right={"dx": _is_one_of_the_ties},
)


def _average_cases() -> list[Case]:
    return [
        case for case in _cases()
        if ValueError not in case.may_refuse or TypeError in case.may_refuse
    ]


AVGPOOL2D = Operation("avgpool2d", _average_cases(), _small())

GLOBAL_AVGPOOL2D = Operation(
    "global_avgpool2d",
    [Case({"x": case["x"]}, {}) for case in _average_cases()],
    [Case({"x": case["x"]}, {}) for case in _small()],
)
