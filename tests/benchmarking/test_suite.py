"""The whole measurement: what it holds."""

from minicnn.benchmarking import Results, suite


def test_a_measurement_has_every_layer_and_pass(results: Results) -> None:
    found = {(row.layer, row.stage, row.program) for row in results.rows}
    assert ("conv2d_1", "backward data", "minicnn") not in found  # nobody needs it
    for layer, stage in (("conv2d_2", "backward data"), ("conv2d_1", "backward weights")):
        assert (layer, stage, "minicnn") in found
    for layer in ("batchnorm_7", "relu_1", "maxpool2d_3", "flatten_1", "dense_2", "conv2d_6"):
        for stage in ("forward", "backward"):
            for program in ("minicnn", "reference"):
                assert (layer, stage, program) in found
    assert {(row.layer, row.batch) for row in results.rows if row.layer == "inference"} == {
        ("inference", 2), ("inference", 1)}
    assert all(row.milliseconds >= row.least > 0 for row in results.rows)
    step = [row for row in results.rows if row.layer == "step"]
    assert results.ratio(1, "step", "step", 2) == step[0].milliseconds / step[1].milliseconds
    assert {(line.of, line.program) for line in results.growth} == {
        (of, program) for of in suite.GROWTH for program in ("minicnn", "reference")}
