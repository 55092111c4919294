"""Functions that need no scikit-learn under one roof: filters, edges, colours, features, neighbours and votes."""

from pellucid.classic.features.color_histogram import color_histogram
from pellucid.classic.features.hog import cell_histograms, hog, hog_picture
from pellucid.classic.features.patches import dense_patches, random_patches
from pellucid.classic.features.word_histogram import word_histogram
from pellucid.classic.neighbours.search import nearest
from pellucid.classic.neighbours.vote import vote
from pellucid.ops.colour import (
    hsv_to_rgb,
    lab_to_rgb,
    rgb_to_grey,
    rgb_to_hsv,
    rgb_to_lab,
    rgb_to_ycbcr,
    ycbcr_to_rgb,
)
from pellucid.ops.edges.canny import canny
from pellucid.ops.edges.components import connected_components
from pellucid.ops.edges.gradient import gradient
from pellucid.ops.filters.bank import filter_bank, response_statistics, responses
from pellucid.ops.filters.convolve import convolve2d, correlate2d
from pellucid.ops.filters.derivative import gaussian_derivative, gaussian_derivative_kernel, sobel
from pellucid.ops.filters.gaussian import gaussian_filter, gaussian_kernel, gaussian_taps
from pellucid.ops.filters.median import median_filter
from pellucid.ops.filters.noise import gaussian_noise, impulse, salt_and_pepper
from pellucid.ops.filters.psnr import psnr

__all__ = [
    "canny", "cell_histograms", "color_histogram", "connected_components", "convolve2d", "correlate2d",
    "dense_patches", "filter_bank", "gaussian_derivative", "gaussian_derivative_kernel", "gaussian_filter",
    "gaussian_kernel", "gaussian_noise", "gaussian_taps", "gradient", "hog", "hog_picture", "hsv_to_rgb", "impulse",
    "lab_to_rgb", "median_filter", "nearest", "psnr", "random_patches", "response_statistics", "responses",
    "rgb_to_grey", "rgb_to_hsv", "rgb_to_lab", "rgb_to_ycbcr", "salt_and_pepper", "sobel", "vote", "word_histogram",
    "ycbcr_to_rgb",
]  # fmt: skip
