"""The pages of docs/from-scratch: one a layer, made from its source, its proofs and a picture."""
