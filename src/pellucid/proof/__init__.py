"""Proofs of hand-written layers: gradient check, adjoint test, PyTorch twin, planted bugs."""
