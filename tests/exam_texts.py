"""Texts of an exam file and its problems, which tests write into a folder and change line by line."""

from __future__ import annotations

from pathlib import Path

NET = """
equations = '''
z = x @ W1 + b1
h = hidden(z)
y = h @ W2
E = sum((y - t)**2) / 2
'''
[given]
x = [1, 2]
t = [1]
[parameters]
W1 = [[1, 2], [3, 4]]
b1 = [0.5, 0]
W2 = [[1], [2]]
[functions]
hidden = "unspecified"
[ask]
update = { rate = 0.1 }
"""
PARTS = """
equations = '''
z = x @ w
h = relu(z)
E = sum((h - t)**2) / 2
'''
[given]
x = [1, 2]
t = [1]
[ask]
gradients = "parameters"
[[part]]
name = "a"
parameters = { w = [[1], [2]] }
[[part]]
name = "b"
title = "The other half"
parameters = { w = [[3], [4]] }
ask = { gradients = ["w", "z"], update = { rate = 0.1 } }
"""
EXAM = """format = 1
title = { en = "Quiz", zh = "测验" }
date = "Autumn term 2026"
instructions = "Show your work."
languages = ["en", "zh"]
paper = "us-letter"
points = 12.5

[[question]]
problem = "net.toml"
text = { en = "Work it out.", zh = "求解。" }
points = 10
steps = { z = 2, h = 1, "dE/dW2" = 4, "W2@1" = 3 }
space = 6.5
blanks = true
vary = { W1 = { from = [-2, 2], step = 0.5, except = [0, 1] }, x = "integers -3..3 except 0, 1", b1 = [1, "1/2", 0], hidden = ["relu", "tanh"] }
require = { decimals = { z = 2, h = 2, "dE/dW2" = 1 }, dead_relu = 1, kinks = true, saturation = false, smallest = 0.01, nonzero = false, operations = "1/5" }

[[question]]
id = "second"
problem = "parts.toml"
part = "b"
form = "matrix"
points = "5/2"
"""


def written(folder: Path, exam: str = EXAM, **problems: str) -> Path:
    """An exam file with its problems beside it."""
    for name, text in {"net": NET, "parts": PARTS, **problems}.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    path = folder / "quiz.toml"
    path.write_text(exam, encoding="utf-8")
    return path


def relu(problem: str = NET) -> str:
    """The network with ReLU where it has an unspecified function."""
    return problem.replace("hidden(z)", "relu(z)").replace('[functions]\nhidden = "unspecified"\n', "")
