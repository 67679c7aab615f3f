"""ATen's operations, one function each: what ``torch.export`` leaves of a module, in the words of the language."""

from derive.problem.sources.aten import arrays, elementwise, layers, losses
from derive.problem.sources.aten.call import OPERATIONS, Call

__all__ = ["OPERATIONS", "Call", "arrays", "elementwise", "layers", "losses"]
