"""How fast, as ratios to something that the reader has too. ``python -m benchmarks`` prints them with their targets.

Absolute times say more about a machine than about a program. So everything here is measured side by side: the two
sides take turns, each run in a process of its own where imports count, and medians are compared.
"""
