"""The matrices of Winograd's F(4, 3): four outputs of a filter of three weights, six products.

Two outputs of a filter of three weights take six multiplications by the definition, four by
Winograd's F(2, 3) (docs/kernels.md derives it). F(4, 3) takes six for four outputs instead of
twelve. With d six inputs, g three weights and y four outputs::

    y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]

         1  -3/2   -2   3/2   1   0              1     0      0             1  1   1   1   1  0
         0   -1   1/2   5/2   1   0             1/3   1/3    1/3            0  1  -1  1/2 -2  0
    Bᵀ = 0    1  -5/2   1/2   1   0       G =  -1/3   1/3   -1/3      Aᵀ =  0  1   1  1/4  4  0
         0   -2   -1     2    1   0           -16/15 -8/15  -4/15           0  1  -1  1/8 -8  1
         0   1/2  -1   -1/2   1   0            1/15  -2/15   4/15
         0    1  -3/2   -2   3/2  1              0     0      1

Seen as polynomials, filtering is a product, and a product can be taken value by value: evaluate
both at six points, multiply, interpolate. Row f of G and of Bᵀ belongs to point f: 0, 1, -1, ½, -2
and ∞. These points round about three times less than 0, ±1, ±2 and ∞ (Barabasz et al. 2020,
arXiv:1803.10986, on the choice of points).

Backward is linear in the same matrices, transposed: dy goes to frequencies by A, and the sums of
products come back to the gradient of weights by Gᵀ.

Each function multiplies by one matrix, in few additions. Its arguments are the elements of a
vector: numbers, or `Vector` registers, which do the same for many channels side by side.
"""

from minicnn.compiling.kernels import worker


@worker
def bt_times(d0, d1, d2, d3, d4, d5):
    """Bᵀ d: six inputs to six frequencies."""
    odd, even = d3 - d1, d4 - d2
    return (
        d0 - d2 - d2 + d4 + 1.5 * odd,
        (d4 + 0.5 * d2) + (2.5 * d3 - d1),
        (d4 - 2.5 * d2) + (0.5 * d3 + d1),
        even + 2.0 * odd,
        even - 0.5 * odd,
        d1 - d3 - d3 + d5 + 1.5 * even,
    )


@worker
def g_times(g0, g1, g2):
    """G g: three weights to six frequencies."""
    even = g0 + g2
    return (
        g0, (even + g1) * (1 / 3), (g1 - even) * (1 / 3),
        (g0 + 0.5 * g1 + 0.25 * g2) * (-16 / 15), (g0 - 2.0 * g1 + 4.0 * g2) * (1 / 15), g2,
    )


@worker
def at_times(m0, m1, m2, m3, m4, m5):
    """Aᵀ m: six frequencies to four outputs."""
    even, odd = m1 + m2, m1 - m2
    return (
        m0 + even + m3 + m4,
        odd + 0.5 * m3 - 2.0 * m4,
        even + 0.25 * m3 + 4.0 * m4,
        odd + 0.125 * m3 - 8.0 * m4 + m5,
    )


@worker
def a_times(y0, y1, y2, y3):
    """A y: four output gradients to six frequencies, the transpose of `at_times`."""
    even, odd = y0 + y2, y1 + y3
    return (
        y0, even + odd, even - odd,
        y0 + 0.5 * y1 + 0.25 * y2 + 0.125 * y3,
        y0 - 2.0 * y1 + 4.0 * y2 - 8.0 * y3,
        y3,
    )


@worker
def gt_times(u0, u1, u2, u3, u4, u5):
    """Gᵀ u: six frequencies to three weights' gradients, the transpose of `g_times`."""
    even, odd = (u1 + u2) * (1 / 3), (u1 - u2) * (1 / 3)
    half, two = u3 * (-16 / 15), u4 * (1 / 15)
    return u0 + odd + half + two, even + 0.5 * half - 2.0 * two, odd + 0.25 * half + 4.0 * two + u5
