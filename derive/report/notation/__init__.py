"""Mathematics as LaTeX: the only printer of formulas in the house.

``symbols`` says what a name and its entries look like, ``cells`` prints one entry of an expression, ``matrices`` a
whole expression, with symbols, entry names or numbers in place of its names. What is printed follows the grammar in
``GRAMMAR.md`` beside this file, so that it can be read back.
"""

from derive.report.notation.cells import Cell, Cells
from derive.report.notation.entries import scalar
from derive.report.notation.matrices import Matrices
from derive.report.notation.symbols import Symbols, letter

__all__ = ["Cell", "Cells", "Matrices", "Symbols", "letter", "scalar"]
