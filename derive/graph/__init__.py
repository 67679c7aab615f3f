"""Structure: names, sizes and the chain rule.

A network is an ordered list of named equations over small expression trees whose leaves are names. Reverse mode
returns another such list, whose names are adjoints. The mathematics of the functions is not here: their derivatives
stay symbols (``derivative`` of ``sigmoid``) until ``calculus`` says what they are.
"""

from derive.graph.build import build
from derive.graph.expression import Adjoint, Expression, Name, leaf
from derive.graph.network import Equation, Network
from derive.graph.reverse import AdjointEquation, differentiate

__all__ = [
    "Adjoint",
    "AdjointEquation",
    "Equation",
    "Expression",
    "Name",
    "Network",
    "build",
    "differentiate",
    "leaf",
]
