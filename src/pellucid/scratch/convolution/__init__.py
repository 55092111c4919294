"""Convolution in its forms: by loops, as a matrix product, by shifts, by Fourier transform."""
