"""The two questions of ``exams.py`` worked out in fractions as one would by hand, every operation noted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from derive.numbers.tensor import Tensor


def _fractions(tensor: Tensor) -> list[Fraction]:
    return [Fraction(int(x.p), int(x.q)) for x in tensor]


class Hand:
    """Every result goes through ``plus`` and ``times``; ``seen`` has them, ``operations`` counts those not by 0 and 1."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        self.given = {name: _fractions(tensor) for name, tensor in values.items()}
        self.key = tuple(x for name in sorted(self.given) for x in self.given[name])
        self.seen: list[Fraction] = []
        self.operations = 0

    def times(self, a: Fraction, b: Fraction) -> Fraction:
        self.operations += 0 not in (a, b) and 1 not in (a, b)
        self.seen.append(a * b)
        return a * b

    def plus(self, *terms: Fraction) -> Fraction:
        self.operations += max(sum(term != 0 for term in terms) - 1, 0)
        self.seen.append(sum(terms, Fraction(0)))
        return self.seen[-1]

    def too_long(self, places: int) -> list[Fraction]:
        """What is no decimal of so many places."""
        return [x for x in self.seen if (x * 10**places).denominator != 1]


class Relu(Hand):
    """z = x W1 + b1, h = relu(z), y = h W2 + b2, E = (y - t)²/2, its gradients, and one update with the rate 0.1."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        super().__init__(values)
        given, rate = self.given, Fraction(-1, 10)
        x, W1, b1, W2, b2, t = (given[name] for name in ("x", "W1", "b1", "W2", "b2", "t"))
        sums = [self.plus(*(self.times(x[i], W1[3 * i + j]) for i in range(2))) for j in range(3)]
        self.z = [self.plus(sums[j], b1[j]) for j in range(3)]
        self.h = [max(z, Fraction(0)) for z in self.z]
        y = self.plus(self.plus(*(self.times(self.h[j], W2[j]) for j in range(3))), b2[0])
        error = self.plus(y, -t[0])
        self.times(Fraction(1, 2), self.times(error, error))
        dy = self.plus(y, -t[0])
        dW2 = [self.times(h, dy) for h in self.h]
        dh = [self.times(dy, w) for w in W2]
        dz = [self.times(g, Fraction(int(z > 0))) for g, z in zip(dh, self.z, strict=True)]
        dW1 = [self.times(x[i], g) for i in range(2) for g in dz]
        self.gradients = {"W1": dW1, "b1": dz, "W2": dW2, "b2": [dy], "h": dh, "z": dz}
        for old, gradient in ((W1, dW1), (b1, dz), (W2, dW2), (b2, [dy])):
            for w, g in zip(old, gradient, strict=True):
                self.plus(w, self.times(rate, g))

    def wrong(self) -> list[object]:
        """What the question forbids."""
        found: list[object] = [*self.too_long(2), *(z for z in self.z if z == 0)]
        found += [name for name, entries in self.gradients.items() if not any(entries)]
        return found if any(self.h) else [*found, "dead"]


class Sigmoid(Hand):
    """z = x W + b, p = sigmoid(z), and p - t, which is all that its gradients are made of."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        super().__init__(values)
        x, W, b = (self.given[name] for name in ("x", "W", "b"))
        sums = [self.plus(*(self.times(x[i], W[2 * i + j]) for i in range(3))) for j in range(2)]
        self.z = [self.plus(sums[j], b[j]) for j in range(2)]

    def wrong(self) -> list[object]:
        """What the question forbids."""
        slopes = [1 / (1 + math.exp(-z)) - t for z, t in zip(self.z, (1, 0), strict=True)]
        found: list[object] = [*self.too_long(2), *(z for z in self.z if abs(z) > 6)]
        largest = max(abs(x * g) for x in self.given["x"] for g in slopes)
        return found if largest >= 0.001 and max(map(abs, slopes)) >= 0.001 else [*found, "tiny"]
