"""What `minicnn check` says of convolution and pooling beside the planted faults."""

from pathlib import Path

import pytest
from submission_checks import SUBMISSIONS, findings_of, planted

from minicnn.checking import Finding

WINDOW, SIX = "conv_window_loops_cs231n.py", "conv_six_loops_cs231n.py"
IM2COL, OFFSETS = "conv_im2col_cs231n.py", "conv_kernel_offsets_minicnn.py"
ONEHOT, CLIPPED = "pool_onehot_cs231n.py", "pool_clipped_windows_minicnn.py"
FORWARD, BACKWARD = "conv_forward_naive", "conv_backward_naive"


@pytest.fixture
def check(tmp_path: Path):
    """The findings about a submission with one edit, by function."""

    def run(name: str, old: str, new: str) -> dict[str, Finding]:
        found = findings_of(planted(tmp_path, name, old, new))
        return {finding.function: finding for finding in found}

    return run


def test_cs231n_asks_nothing_where_a_stride_does_not_divide(check) -> None:
    found = check(ONEHOT, "    Ho, Wo = (H - hp) // S + 1",
                  "    if (H - hp) % S: undefined\n    Ho, Wo = (H - hp) // S + 1")
    assert {finding.verdict for finding in found.values()} == {"correct"}


@pytest.mark.parametrize(("slip", "verdict"), [
    ("undefined", "error"), ("raise AssertionError", "correct"),
])
def test_minicnn_lets_a_stride_be_refused_that_does_not_divide(
    check, slip: str, verdict: str
) -> None:
    line = "    count = (length + before + after - k) // step + 1\n"
    found = check(CLIPPED, line, f"    if (length + before + after - k) % step: {slip}\n{line}")
    assert found["maxpool2d_forward"].verdict == verdict


def test_equal_parts_for_ties_are_right_with_a_note(check) -> None:
    found = check(ONEHOT, "return hits & (np.cumsum(hits, axis=-1) == 1)",
                  "return hits / hits.sum(axis=-1, keepdims=True)")["max_pool_backward_naive"]
    assert found.verdict == "correct"
    assert found.message.startswith("note: ")
    assert "equal parts" in found.message


def test_ties_get_no_note_where_one_of_them_receives_all(check) -> None:
    found = check(ONEHOT, "hits & (np.cumsum(hits, axis=-1) == 1)",
                  "hits & (np.cumsum(hits[..., ::-1], axis=-1)[..., ::-1] == 1)")
    assert {(each.verdict, each.message) for each in found.values()} == {("correct", "")}


def test_a_function_of_integer_paddings_alone_is_right(check) -> None:
    found = check(OFFSETS, "    vertical, horizontal = pair(padding)\n",
                  "    vertical, horizontal = padding + 0, padding + 0\n")
    assert {finding.verdict for finding in found.values()} == {"correct"}


def test_a_wrong_shape_is_told_with_its_sum(check) -> None:
    message = check(WINDOW, "W_out = (W + 2 * P - WW) // S + 1",
                    "W_out = (W + 2 * P - WW) // S")[FORWARD].message
    assert "W' = 1 + (W + 2·pad - WW) / stride = 1 + (5 + 2·0 - 2) / 1 = 4" in message
    message = check(ONEHOT, "(W - wp) // S + 1", "(W - wp) // S")["max_pool_forward_naive"].message
    assert "W' = 1 + (W - pool_width) / stride = 1 + (" in message


def test_an_empty_slice_is_explained(check) -> None:
    crop = "dx_pad[:, :, P:P + H, P:P + W]"
    for new in ("dx_pad[:, :, P:-P, P:-P]", "dx_pad[:, :, P:-P, P:-P] * np.ones((C, H, W))"):
        message = check(WINDOW, crop, new)[BACKWARD].message
        assert "With pad = 0 the slice pad:-pad is 0:-0, which is empty" in message
        assert "pad:pad+H works for every pad" in message


def test_what_raises_is_hinted_at_by_experiments(check) -> None:
    right, wrong = "i1 = stride * np.repeat(", "i1 = (stride > 1) * 99 + np.repeat("
    found = check(IM2COL, right, wrong)[FORWARD]
    assert found.verdict == "error"
    assert "It is right where the stride is 1." in found.message


WIDER = "a kernel that is larger than the image without its padding"


@pytest.mark.parametrize("line", [
    "    assert HH <= H and WW <= W, 'kernel too big'\n",
    "    if WW > W:\n        raise ValueError('kernel too big')\n",
])
def test_a_strange_case_may_be_refused_deliberately(check, line: str) -> None:
    place = "    H_out = (H + 2 * P - HH) // S + 1\n"
    found = check(WINDOW, place, line + place)
    assert {finding.verdict for finding in found.values()} == {"correct"}
    assert found[FORWARD].message.startswith(f"note: refuses {WIDER} (line ")
    assert "kernel too big" in found[FORWARD].message


def test_a_strange_case_is_no_excuse_for_a_slip(check) -> None:
    place = "    H_out = (H + 2 * P - HH) // S + 1\n"
    found = check(WINDOW, place, f"    if WW > W: undefined\n{place}")
    assert found[FORWARD].verdict == "error"


def test_where_a_tie_is_the_lesson_the_tie_is_shown(check) -> None:
    found = check("pool_loops_cs231n.py",
                  "                    a, b = np.unravel_index(np.argmax(win), win.shape)\n",
                  "                    a, b = map(int, np.argwhere(win == win.max()).squeeze())\n")
    message = found["max_pool_backward_naive"].message
    assert message.startswith("It fails only where a window holds its maximum more than once")
    assert "x of shape (1, 1, 1, 2): [[[[1.0, 1.0]]]]" in message


def test_a_missing_rim_is_named_beside_a_kernel_in_another_order(
    check, tmp_path: Path
) -> None:
    path = planted(tmp_path, IM2COL, "w_rows = w.reshape(F, -1)\n", "w_rows = w.reshape(-1, F).T\n")
    text = path.read_text(encoding="utf-8")
    for old, new in (("    xp = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])\n", ""),
                     ("cols = xp[:", "cols = x[:"), ("x.shape, xp.shape, w", "x.shape, x.shape, w"),
                     ("(H + 2 * pad - HH)", "(H - HH)"), ("(W + 2 * pad - WW)", "(W - WW)")):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    found = {finding.function: finding for finding in findings_of(path)}[FORWARD]
    assert found.fault == "conv-padding-fixed"
    assert "reshape moves no axis, transpose does" in f"{found.message} {found.also}"


def test_a_bias_in_every_product_is_said_to_be_that(check) -> None:
    found = check("coursera_step_by_step.py", "    s = np.multiply(a_slice_prev, W)\n",
                  "    s = np.multiply(a_slice_prev, W) + b\n    b = 0\n")
    for function in ("conv_single_step", "conv_forward"):
        assert "b is added to every product" in found[function].message
    assert found["conv_backward"].verdict == "correct"


def test_a_helper_of_another_dialect_is_not_coursera_s(tmp_path: Path) -> None:
    path = tmp_path / "layers.py"
    text = "import numpy as np\n\ndef zero_pad({0}, pad):\n" \
           "    return np.pad({0}, ((0, 0), (0, 0), (pad, pad), (pad, pad)))\n"
    for name in ("x", "X"):
        path.write_text(text.format(name), encoding="utf-8")
        assert findings_of(path) == []
    right = (SUBMISSIONS / WINDOW).read_text(encoding="utf-8")
    path.write_text(right + "\n\n" + text.format("X"), encoding="utf-8")
    assert [finding.function for finding in findings_of(path)] == [FORWARD, BACKWARD]
    path.write_text(
        "def conv_forward(A_prev, W, b, activation, padding='same', stride=(1, 1)):\n"
        "    return 1\n"
        "def pool_forward(A_prev, kernel_shape, stride=(1, 1), mode='max'):\n    return 1\n"
        "def conv_backward(dZ, A_prev, W, b, padding='same', stride=(1, 1)):\n    return 1\n"
        "def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max'):\n    return 1\n",
        encoding="utf-8",
    )
    assert findings_of(path) == []


def test_a_maximum_that_begins_at_zero_is_no_exchange_of_axes(check) -> None:
    found = check("pool_plain_lists_cs231n.py", 'best, place = -float("inf"), None',
                  "best, place = 0, (i * s, j * s)")
    assert {finding.fault for finding in found.values()} == {"unknown"}
    assert "The maximum begins at 0" in found["max_pool_forward_naive"].message


def test_what_the_dialect_lets_pass_is_no_evidence(check) -> None:
    found = check("coursera_step_by_step.py", "+= W[:, :, :, c] * dZ[i, h, w, c]",
                  "+= W[:, :, :, c] * dZ[i, h, w, c] / f")["conv_backward"]
    assert "where the padding is 0" not in found.message
