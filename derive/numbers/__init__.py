"""Certified numbers: exact rationals, balls that enclose the rest, and digits printed only when they are sure."""
