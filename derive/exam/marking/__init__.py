"""Marking: the numbers that came back, judged one by one with follow-through, and what is told of them.

answers file ─ read ─▶ Sheets ─ judge ─▶ Judged entries and Slips ─▶ marks, feedback, summary
"""
