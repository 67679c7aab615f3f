"""Other people's solutions: claims about values, printed arithmetic, verdicts, and what went wrong."""
