"""The update rules in plain NumPy. ``Optimiser.step`` is one update; what it remembers is in ``Optimiser.state``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from derive.errors import ProblemError
from derive.oracle.values import Floats, double
from derive.problem.problem import Update
from derive.problem.rules import RULES

Arrays = Mapping[str, Floats]


class Optimiser:
    """One rule with its rates and constants, and the state that updates leave behind.

    Parameters that ``rates`` does not name, or whose rate is 0, stay. ``state[name][parameter]`` has the parameter's
    shape; ``t`` counts the updates made.
    """

    def __init__(self, update: Update, parameters: Arrays) -> None:
        self.update, self.t = update, update.t
        self.rates = {name: double(rate) for name, rate in update.moving.items()}
        self._constants = {name: double(value) for name, value in update.constants.items()}
        self._decay = {name: double(value) for name, value in update.decay.items()}
        self._step = STEPS[update.rule]
        self.state: dict[str, dict[str, Floats]] = {
            name: {
                parameter: doubles(update.state[name][parameter])
                if name in update.state
                else np.zeros(np.shape(parameters[parameter]))
                for parameter in self.rates
            }
            for name in RULES[update.rule].state
        }

    def ahead(self, parameters: Arrays) -> Arrays:
        """Where the next gradient is taken: at the parameters, or where momentum alone would carry them."""
        if (self.update.rule, self.update.form) != ("nesterov", "ahead"):
            return parameters
        beta, v = self._constants["beta"], self.state["v"]
        return {name: x + beta * v[name] if name in v else x for name, x in parameters.items()}

    def step(self, parameters: Arrays, gradients: Arrays, at: Arrays) -> dict[str, Floats]:
        """The parameters after one update from gradients that were taken ``at`` some point."""
        self.t += 1
        after = dict(parameters)
        for name, rate in self.rates.items():
            x, g, decay = parameters[name], gradients[name], self._decay.get(name, 0.0)
            if decay and not self.update.decoupled:
                g = g + decay * at[name]
            state = {key: values[name] for key, values in self.state.items()}
            try:
                with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
                    down = self._step(self, state, g, rate)
            except FloatingPointError:
                if self._constants.get("eps") == 0:
                    raise ProblemError(f"the update of {name} divides by zero, since eps is 0") from None
                raise
            for key, value in state.items():
                self.state[key][name] = value
            after[name] = np.asarray(x - down - rate * decay * x if decay and self.update.decoupled else x - down)
        return after

    # ── each rule: renews its state, and gives what is taken off the parameter ──

    def _sgd(self, state: dict[str, Floats], g: Floats, rate: float) -> Floats:
        return np.asarray(rate * g)

    def _momentum(self, state: dict[str, Floats], g: Floats, rate: float) -> Floats:
        beta = self._constants["beta"]
        match self.update.form:
            case "sum":
                state["v"] = beta * state["v"] + g
            case "mean":
                state["v"] = beta * state["v"] + (1 - beta) * g
            case _:
                state["v"] = beta * state["v"] - rate * g
                return -state["v"]
        return np.asarray(rate * state["v"])

    def _nesterov(self, state: dict[str, Floats], g: Floats, rate: float) -> Floats:
        beta = self._constants["beta"]
        if self.update.form == "ahead":
            state["v"] = beta * state["v"] - rate * g
            return -state["v"]
        state["v"] = beta * state["v"] + g
        return np.asarray(rate * (g + beta * state["v"]))

    def _adagrad(self, state: dict[str, Floats], g: Floats, rate: float) -> Floats:
        state["s"] = state["s"] + g**2
        return np.asarray(rate * g / (np.sqrt(state["s"]) + self._constants["eps"]))

    def _rmsprop(self, state: dict[str, Floats], g: Floats, rate: float) -> Floats:
        beta = self._constants["beta"]
        state["s"] = beta * state["s"] + (1 - beta) * g**2
        return np.asarray(rate * g / (np.sqrt(state["s"]) + self._constants["eps"]))

    def _adam(self, state: dict[str, Floats], g: Floats, rate: float) -> Floats:
        first, second = self._constants["beta1"], self._constants["beta2"]
        state["m"] = first * state["m"] + (1 - first) * g
        state["v"] = second * state["v"] + (1 - second) * g**2
        mean, square = state["m"] / (1 - first**self.t), state["v"] / (1 - second**self.t)
        return np.asarray(rate * mean / (np.sqrt(square) + self._constants["eps"]))


STEPS: Mapping[str, Callable[[Optimiser, dict[str, Floats], Floats, float], Floats]] = {
    "sgd": Optimiser._sgd,
    "momentum": Optimiser._momentum,
    "nesterov": Optimiser._nesterov,
    "adagrad": Optimiser._adagrad,
    "rmsprop": Optimiser._rmsprop,
    "adam": Optimiser._adam,
    "adamw": Optimiser._adam,
}


def doubles(tensor: Any) -> Floats:
    """The numbers of a problem (a ``Tensor``) as doubles."""
    return np.array([double(x) for x in tensor.entries]).reshape(tensor.shape)
