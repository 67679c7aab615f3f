"""The update rules by name: their constants with the usual values, the forms that people write them in, their state.

What a rule computes stands twice and shares no line: as expressions in ``derive.solution.rules``, and in plain NumPy in
``derive.oracle.rules``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from flint import fmpq

from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of a rule: its usual value, and the names under which it may be given."""

    value: fmpq
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """``constants`` by their part in the rule; ``forms``, the usual one first; ``state``: what it remembers."""

    constants: Mapping[str, Constant] = field(default_factory=dict)
    forms: tuple[str, ...] = ("",)
    state: tuple[str, ...] = ()


MOMENTUM = Constant(fmpq(9, 10), ("beta", "mu", "gamma"))
EPSILON = Constant(fmpq(1, 10**8), ("eps", "epsilon"))
ADAM: Mapping[str, Constant] = {
    "beta1": Constant(fmpq(9, 10), ("beta1",)),
    "beta2": Constant(fmpq(999, 1000), ("beta2",)),
    "eps": EPSILON,
}

# Sources: Polyak (1964) as PyTorch writes it, and the two other ways in use (a mean; a step that is carried on, as in
# Sutskever et al., 2013); Nesterov by Sutskever et al., and as PyTorch writes it; Duchi et al. (2011); Hinton's lecture
# 6e (2012); Kingma and Ba (2015); Loshchilov and Hutter (2019).
RULES: Mapping[str, Rule] = {
    "sgd": Rule(),
    "momentum": Rule({"beta": MOMENTUM}, ("sum", "mean", "step"), ("v",)),
    "nesterov": Rule({"beta": MOMENTUM}, ("ahead", "sum"), ("v",)),
    "adagrad": Rule({"eps": EPSILON}, ("",), ("s",)),
    "rmsprop": Rule({"beta": Constant(fmpq(9, 10), ("beta", "rho", "gamma")), "eps": EPSILON}, ("",), ("s",)),
    "adam": Rule(ADAM, ("",), ("m", "v")),
    "adamw": Rule(ADAM, ("",), ("m", "v")),
}
DECAY_OF_ADAMW = fmpq(1, 100)
