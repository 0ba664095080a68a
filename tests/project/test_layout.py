"""Tests lie where lies what they test, so that whoever changes a file finds its tests."""

from fnmatch import fnmatch
from pathlib import Path

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "minicnn"

WITHOUT_PACKAGE = {"project"}
"""Folders of tests of what is no part of the package: its papers, its rules."""

OTHER_PLACES = {
    # a body has no tests of its own: those of its door run on every backend
    "ops/reference/*": "ops/test_{name}.py",
    "ops/cpu/linalg/ceiling": "benchmarking/test_machine.py",
    "compiling/watching": "cli/test_gradcheck.py",
    "ops/cpu/linalg/kept_kernels": "cli/test_warmup.py",
    "ops/cpu/linalg/register_tile": "ops/cpu/linalg/test_gemm.py",
    "ops/cpu/linalg/sums": "ops/test_numerical_edges.py",
    "ops/cpu/*": "ops/test_{name}.py",
    # parts of one thing are tested as that thing
    "ops/cuda/gemm_*": "ops/cuda/test_gemm.py",
    "ops/cuda/implicit_kernel": "ops/cuda/test_implicit.py",
    "ops/cuda/tensorcore_kernel": "ops/cuda/test_tensorcore.py",
    "ops/cuda/pool2d_*": "ops/cuda/test_pool2d.py",
    "ops/cuda/winograd_*": "ops/cuda/test_winograd.py",
    "benchmarking/pictures": "benchmarking/test_tables.py",
    "benchmarking/*": "benchmarking/test_suite.py",
    "checking/gradient_*": "checking/test_gradients.py",
    "checking/survey": "cli/test_gradcheck.py",
    "checking/equations": "checking/students/test_planted_faults.py",
    "checking/faults": "checking/students/test_planted_faults.py",
    "checking/students/operations/*": "checking/students/test_planted_faults.py",
    "checking/students/examination/*": "checking/students/examination/test_examination.py",
    "checking/students/worker": "checking/students/test_isolation.py",
    "checking/students/submission": "checking/students/test_isolation.py",
    "checking/students/numbers_shown": "checking/students/test_display.py",
    "checking/students/folding": "checking/students/test_display.py",
    "checking/students/notation": "checking/students/test_display.py",
    "checking/students/*": "checking/students/examination/test_examination.py",
    "checking/*": "checking/test_layers.py",
    "cli/*": "cli/test_program.py",
    "compiling/launch": "compiling/test_kernels.py",
    "data/dataset": "data/test_views.py",
    "data/fer2013": "data/sources/test_csv_reader.py",
    "data/sources/quoting": "data/sources/test_csv_reader.py",
    "files/*": "files/test_hostile_files.py",
    "layers/shapes": "layers/test_base.py",
    "ptx/*": "ptx/test_launch.py",
    "runs/folder": "runs/test_results.py",
    "terminal/lines": "terminal/test_tables.py",
    "training/environment": "training/test_resuming.py",
    "training/epoch": "training/test_trainer.py",
    "training/hooks": "training/test_layer_records.py",
    "training/progress": "cli/test_train.py",
    "training/state": "training/test_checkpoint.py",
    "training/run": "training/test_starting.py",
    "training/*": "training/test_experiment.py",
    "viewing/*": "viewing/test_report.py",
    # who uses it, tests it
    "validation": "ops/test_arguments.py",
    "__main__": "cli/test_program.py",
}
"""Where a module is tested that has no test file of its name: the first pattern that fits."""


def modules() -> list[str]:
    """The package's modules, as ``ops/cpu/conv2d``."""
    return sorted(
        path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    )


def own_test(module: str) -> Path:
    """Where a module's test lies, if it has one."""
    path = TESTS / module
    return path.with_name(f"test_{path.name}.py")


def other_test(module: str) -> Path | None:
    """Where it is tested otherwise."""
    for pattern, place in OTHER_PLACES.items():
        if fnmatch(module, pattern):
            return TESTS / place.format(name=module.rpartition("/")[2])
    return None


def test_tests_lie_in_folders_of_the_package() -> None:
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    found = {folder.as_posix() for folder in folders if not (PACKAGE / folder).is_dir()}
    assert found == WITHOUT_PACKAGE


def test_every_module_has_its_test() -> None:
    untested = [
        module for module in modules() if not own_test(module).exists()
        and not ((place := other_test(module)) and place.exists())
    ]
    assert untested == []


def test_every_other_place_is_needed() -> None:
    without = [module for module in modules() if not own_test(module).exists()]
    used = {
        next((pattern for pattern in OTHER_PLACES if fnmatch(module, pattern)), None)
        for module in without
    }
    assert OTHER_PLACES.keys() - used == set()
