"""What one does without derive: compose the loss of a network as one SymPy expression, ``diff`` it by every parameter.

``python -m benchmarks.plain_sympy 8,8,8`` prints, as it goes, the seconds that composing took, then one line for each
gradient with the seconds since the start of differentiation. It is run in a process of its own and cut off there.
"""

from __future__ import annotations

import sys
import threading
import time
from itertools import pairwise

import sympy


def loss(widths: list[int]) -> tuple[sympy.Expr, list[sympy.Symbol]]:
    """Half the squared error of a sigmoid network with these layer widths, and its parameters."""
    h = [sympy.Symbol(f"x_{i}") for i in range(widths[0])]
    parameters = []
    for layer, (m, n) in enumerate(pairwise(widths), start=1):
        W = [[sympy.Symbol(f"w{layer}_{i}_{j}") for j in range(n)] for i in range(m)]
        b = [sympy.Symbol(f"b{layer}_{j}") for j in range(n)]
        parameters += [w for row in W for w in row] + b
        z = [sympy.Add(*(h[i] * W[i][j] for i in range(m)), b[j]) for j in range(n)]
        h = [1 / (1 + sympy.exp(-entry)) for entry in z]
    squares = [(entry - sympy.Symbol(f"t_{j}")) ** 2 for j, entry in enumerate(h)]
    return sympy.Add(*squares) / 2, parameters


def main() -> None:
    """Compose, then differentiate by one parameter after the other."""
    start = time.perf_counter()
    composed, parameters = loss([int(width) for width in sys.argv[1].split(",")])
    start_of_diff = time.perf_counter()
    print(start_of_diff - start, flush=True)
    for parameter in parameters:
        sympy.diff(composed, parameter)
        print(time.perf_counter() - start_of_diff, flush=True)


if __name__ == "__main__":
    # A composed loss is as deep as its network: room for it, so that depth alone does not end the comparison.
    sys.setrecursionlimit(10**6)
    threading.stack_size(512 * 2**20)
    worker = threading.Thread(target=main, daemon=True)
    worker.start()
    worker.join()
