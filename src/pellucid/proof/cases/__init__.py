"""Every source file of `pellucid.scratch` that has a gradient or a rule to prove, and its proofs."""
