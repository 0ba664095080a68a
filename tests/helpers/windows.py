"""Random images and sliding windows that fit them, for hypothesis."""

from dataclasses import dataclass

from hypothesis import assume, strategies as st


@dataclass(frozen=True)
class Case:
    """Images (N, H, W, C) and a window over them; `seed` fills the arrays."""

    x_shape: tuple[int, int, int, int]
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    seed: int

    @property
    def output_size(self) -> tuple[int, int]:
        """How often the window fits down and across, found by sliding it."""
        down, across = (
            len(range(0, length + sum(padding) - size + 1, stride))
            for length, size, stride, padding in zip(
                self.x_shape[1:3], self.size, self.stride, self.padding, strict=True
            )
        )
        return down, across

    @property
    def onnx_attributes(self) -> dict[str, list[int]]:
        """The window as ONNX writes it."""
        (top, bottom), (left, right) = self.padding
        return {"kernel_shape": list(self.size), "strides": list(self.stride),
                "pads": [top, left, bottom, right]}


@st.composite
def cases(
    draw: st.DrawFn, side: int = 7, channels: tuple[int, ...] = (1, 2, 3, 5), *, pool: bool = False
) -> Case:
    """A window that fits; for pooling no window lies in padding alone."""
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    most = [length - 1 if pool else 3 for length in size]
    padding = tuple(
        draw(st.tuples(st.integers(0, limit), st.integers(0, limit))) for limit in most
    )
    image = draw(st.tuples(st.integers(1, side), st.integers(1, side)))
    case = Case(
        (draw(st.integers(1, 3)), *image, draw(st.sampled_from(channels))),
        size, stride, padding, draw(st.integers(0, 2**32 - 1)),
    )
    assume(min(case.output_size) >= 1)
    return case
