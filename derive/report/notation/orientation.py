"""What the two indices of a weight stand for: the unit it comes from and the one it goes to.

In ``x @ W`` the row of a weight is where it comes from, in ``W @ x`` where it goes to. A problem may want the names of
entries the other way round; values and sizes do not change.
"""

from __future__ import annotations

from collections.abc import Mapping

from derive.graph.network import Network

ORDERS = ("from-to", "to-from")


def orders(network: Network) -> Mapping[str, str]:
    """The weight matrices of a network, each with what its row and its column stand for."""
    found: dict[str, str] = {}
    for equation in network.equations:
        for node in equation.value.nodes():
            if node.op != "matmul" or not all(arg.op == "name" for arg in node.args):
                continue
            left, right = (str(arg.name) for arg in node.args)
            if is_weight(network, right, left):
                found.setdefault(right, "from-to")
            elif is_weight(network, left, right):
                found.setdefault(left, "to-from")
    return found


def is_weight(network: Network, name: str, other: str) -> bool:
    """Whether ``name`` is a weight in a product with ``other``: trained, or the matrix of two data."""
    if name not in network.data or len(network.shape(name)) != 2:
        return False
    if other not in network.data:
        return True
    roles = (network.data[name].role, network.data[other].role)
    if "parameter" in roles:
        return roles[0] == "parameter" and roles[1] != "parameter"
    return 1 not in network.shape(name) and 1 in network.shape(other)
