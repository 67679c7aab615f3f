"""Reading other people's solutions: what a printed value stands for, whether it is right, which slip explains it."""
