"""Pictures of a run: how it learned, what it mistakes, what its layers see; the HTML reports."""

from minicnn.viewing.class_activation import GradCam, grad_cam, spatial_layer
from minicnn.viewing.comparison import comparison_table, different_images, write_comparison
from minicnn.viewing.confusion import draw_confusion
from minicnn.viewing.curves import Curve, draw_curves
from minicnn.viewing.feature_maps import FeatureMaps, block_maps, draw_feature_maps
from minicnn.viewing.filters import draw_filters, first_filters
from minicnn.viewing.mistakes import Mistake, confident_mistakes
from minicnn.viewing.pictures import Picture
from minicnn.viewing.report import write_report
from minicnn.viewing.run_record import RunRecord, read_run
from minicnn.viewing.running_statistics import draw_running_statistics

__all__ = [
    "Curve",
    "FeatureMaps",
    "GradCam",
    "Mistake",
    "Picture",
    "RunRecord",
    "block_maps",
    "comparison_table",
    "confident_mistakes",
    "different_images",
    "draw_confusion",
    "draw_curves",
    "draw_feature_maps",
    "draw_filters",
    "draw_running_statistics",
    "first_filters",
    "grad_cam",
    "read_run",
    "spatial_layer",
    "write_comparison",
    "write_report",
]
