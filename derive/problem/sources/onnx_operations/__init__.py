"""ONNX's operations, one function each, in the words of the language; arithmetic of sizes is done as it is read."""

from derive.problem.sources.onnx_operations import arrays, elementwise, layers, sizes
from derive.problem.sources.onnx_operations.node import FOLDED, OPERATIONS, Node

__all__ = ["FOLDED", "OPERATIONS", "Node", "arrays", "elementwise", "layers", "sizes"]
