"""Checks of gradients, of layers, and of students' files."""

from minicnn.checking.gradient_report import GradientReport, InputGradient
from minicnn.checking.gradients import gradcheck
from minicnn.checking.layers import CHECKS, CheckResult, check_layer, parametrize_with_checks

__all__ = [
    "CHECKS",
    "CheckResult",
    "GradientReport",
    "InputGradient",
    "check_layer",
    "gradcheck",
    "parametrize_with_checks",
]
