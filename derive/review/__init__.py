"""Printed claims and printed arithmetic: verdicts, and the slips that explain wrong numbers."""
