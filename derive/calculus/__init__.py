"""SymPy at work: what each function is, what its derivative is, and every entry of a small network in full.

The graph knows names and the chain rule; here is the mathematics: local derivatives from one definition each, the
rewrite of a derivative through the function's own output, explicit entries under the problem's entry names, the sum
over paths entry by entry, and the proof that it equals the matrix rule.
"""
