"""Recurrent layers: one step, a sequence, several layers, a long text in pieces."""
