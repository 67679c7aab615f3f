"""Other ways to a problem: layers by their usual names, a PyTorch module, an ONNX file, a forward function in NumPy.

Each draws a ``Draft``, whose arrays have NumPy's meaning, and the draft becomes an ordinary ``Problem`` through the
reader that reads files. What a source needs beyond derive itself is an optional extra.
"""
