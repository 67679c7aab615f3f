"""A document to lint: a thousand chains of printed arithmetic, like those of a worked solution."""

from __future__ import annotations

from math import exp

import numpy as np

DISPLAY = r"""
$$
\begin{{aligned}}
z_{{{k}}} & = {a} \cdot {u:.4f} + {b} \cdot {v:.4f} + {c} = \begin{{pmatrix}} {a} & {b} \end{{pmatrix}}
    \begin{{pmatrix}} {u:.4f} \\ {v:.4f} \end{{pmatrix}} + {c} \\
 & \approx {z:.4f} \\
h_{{{k}}} & = \sigma({z:.4f}) \approx {h:.4f}
\end{{aligned}}
$$
"""


def document(chains: int) -> str:
    """So many chains, two to a display; all of them right."""
    chance, text = np.random.default_rng(1), ["# A worked solution\n"]
    for k in range(chains // 2):
        a, b, c = (int(n) for n in chance.integers(1, 6, 3))
        u, v = (round(float(x), 4) for x in chance.random(2))
        z = a * u + b * v + c
        text.append(DISPLAY.format(k=k, a=a, b=b, c=c, u=u, v=v, z=z, h=1 / (1 + exp(-z))))
    return "".join(text)
