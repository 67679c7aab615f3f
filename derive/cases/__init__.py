"""The built-in problem files: data, and no code."""
