"""Variants by constraint: a question as a straight line of scalar operations, searched entry by entry."""
