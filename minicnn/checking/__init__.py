"""Checks of gradients, of layers, and of students' files."""

from minicnn.checking.gradient_report import GradientReport, InputGradient
from minicnn.checking.gradients import gradcheck

__all__ = ["GradientReport", "InputGradient", "gradcheck"]
