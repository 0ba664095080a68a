"""Checks of gradients, of layers, and of students' files."""

from minicnn.checking.gradient_report import GradientReport, InputGradient
from minicnn.checking.gradients import gradcheck
from minicnn.checking.layer_checks import CHECKS
from minicnn.checking.layers import CheckResult, check_layer, parametrize_with_checks
from minicnn.checking.students.finding import Finding
from minicnn.checking.students.findings import Findings
from minicnn.checking.students.isolation import check_file
from minicnn.checking.students.namespace import check_functions

__all__ = [
    "CHECKS",
    "CheckResult",
    "Finding",
    "Findings",
    "GradientReport",
    "InputGradient",
    "check_file",
    "check_functions",
    "check_layer",
    "gradcheck",
    "parametrize_with_checks",
]
