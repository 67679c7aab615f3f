"""Figures: what a drawing shows is decided here, as a ``Scene``; ``derive.report.drawing`` writes it down."""
