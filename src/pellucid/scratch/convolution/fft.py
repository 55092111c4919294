"""Convolution by the fast Fourier transform: good for large kernels only.

Formula:
    y = F⁻¹(F(x) · conj F(w)) + b,  F the discrete Fourier transform of the padded picture

Derivation:
    Sliding a kernel is a correlation, y_i = Σ_u w_u x_{i+u}. With X_k = Σ_p x_p ω^{kp} over M places, ω = e^{-2πi/M},
        Σ_i y_i ω^{ki} = Σ_u w_u ω^{-ku} Σ_p x_p ω^{kp} = conj(W_k) X_k
    if positions are counted modulo M. With M = N + 2 P, the size of the padded picture, no window that we want reaches
    past its end, so nothing needs to be added. Channels are summed before going back. A stride keeps every S-th result,
    and a dilated kernel has its taps D apart. Backward, dy is spread out to where its outputs were taken:
        dX = dY · W  (a true convolution, dx_p = Σ_u w_u dy_{p-u}),  dW = X · conj(dY)  (dw_u = Σ_i dy_i x_{i+u})
    Work: M log M for each channel whatever the kernel's size, where loops take HH·WW for each pixel; but there are C·F
    products at each frequency, complex ones, and the transforms are far from the rate of a matrix product.

Source: Mathieu et al., "Fast Training of Convolutional Networks through FFTs", 2014.
"""

import numpy as np

from pellucid.scratch.convolution.size import ConvParam, Window, conv_window

Cache = tuple[np.ndarray, np.ndarray, Window]


def conv_forward_fft(x: np.ndarray, w: np.ndarray, b: np.ndarray, conv_param: ConvParam) -> tuple[np.ndarray, Cache]:
    """As `conv_forward_naive`: x (N, C, H, W), w (F, C, HH, WW), b (F,) -> out (N, F, H', W').

    Raises:
        DataError: the shapes do not fit each other, or a setting is missing or does not fit.
    """
    window = conv_window(x, w, b, conv_param)
    size = window.padded
    (top, left), (height, width) = window.pad, window.size
    padded = np.zeros((*x.shape[:2], *size), x.dtype)
    padded[:, :, top : top + height, left : left + width] = x
    kernel = np.zeros((*w.shape[:2], *size), w.dtype)
    kernel[_taps(window)] = w
    x_hat, w_hat = np.fft.rfft2(padded), np.fft.rfft2(kernel)
    all_places = np.fft.irfft2(_multiply(x_hat, w_hat.conj().swapaxes(0, 1)), size)
    out = all_places[_outputs(window)] + b[:, None, None]
    return out, (x_hat, w_hat, window)


def conv_backward_fft(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients dx, dw and db from dout (N, F, H', W')."""
    x_hat, w_hat, window = cache
    size = window.padded
    spread = np.zeros((*dout.shape[:2], *size), dout.dtype)
    spread[_outputs(window)] = dout
    dy_hat = np.fft.rfft2(spread)
    (top, left), (height, width) = window.pad, window.size
    dpadded = np.fft.irfft2(_multiply(dy_hat, w_hat), size)
    dkernel = np.fft.irfft2(_multiply(dy_hat.conj().swapaxes(0, 1), x_hat), size)
    return dpadded[:, :, top : top + height, left : left + width], dkernel[_taps(window)], dout.sum(axis=(0, 2, 3))


def _multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A matrix product at each frequency: (N, C, ...) and (C, F, ...) -> (N, F, ...)."""
    return (a.transpose(2, 3, 0, 1) @ b.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)


def _taps(window: Window) -> tuple[slice, ...]:
    """Where the taps are in the first window."""
    ends = (d * k for d, k in zip(window.dilation, window.kernel, strict=True))
    return slice(None), slice(None), *(slice(0, end, d) for end, d in zip(ends, window.dilation, strict=True))


def _outputs(window: Window) -> tuple[slice, ...]:
    """Where the windows begin."""
    ends = (s * out for s, out in zip(window.stride, window.out, strict=True))
    return slice(None), slice(None), *(slice(0, end, s) for end, s in zip(ends, window.stride, strict=True))
