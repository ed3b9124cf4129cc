"""Boxes, polygons and masks as arrays: conversions and overlap.

The only package with a ``+1``, a ``-1`` or a rounding rule. Boxes are ``(..., 4)`` x, y, w, h and
polygons ``(..., K, 2)`` corners, in continuous pixels; ``Regions`` holds rows of either kind.
"""

from bench.geometry.boxes import (
    area_preserving_box,
    box_centre,
    box_iou,
    box_to_polygon,
    centre_errors,
    clipped_iou,
    columns,
    leaps,
    mask_to_box,
    pixel_corners_to_box,
    polygon_to_box,
    warped_pixels_to_box,
    warped_rows_to_box,
    warped_template_to_box,
)
from bench.geometry.masks import (
    EMPTY,
    Runs,
    canonical_corners,
    has_pixels,
    mask_overlap,
    mask_to_polygon,
    mask_to_runs,
    rasterize,
    runs_to_mask,
)
from bench.geometry.overlap import RULES, pixel_counter, region_overlaps
from bench.geometry.regions import (
    FAILED,
    INITIALISED,
    LARGEST_IMAGE,
    SKIPPED,
    TRACKED,
    Regions,
    off_scale,
    outlines,
)

__all__ = [
    "EMPTY",
    "FAILED",
    "INITIALISED",
    "LARGEST_IMAGE",
    "RULES",
    "SKIPPED",
    "TRACKED",
    "Regions",
    "Runs",
    "area_preserving_box",
    "box_centre",
    "box_iou",
    "box_to_polygon",
    "canonical_corners",
    "centre_errors",
    "clipped_iou",
    "columns",
    "has_pixels",
    "leaps",
    "mask_overlap",
    "mask_to_box",
    "mask_to_polygon",
    "mask_to_runs",
    "off_scale",
    "outlines",
    "pixel_corners_to_box",
    "pixel_counter",
    "polygon_to_box",
    "rasterize",
    "region_overlaps",
    "runs_to_mask",
    "warped_pixels_to_box",
    "warped_rows_to_box",
    "warped_template_to_box",
]
