"""Exams: variants with good numbers, papers and keys, marking with follow-through, export to learning platforms.

    exam file ─ read ─▶ Exam ─ search ─▶ Manifest of Variants ─ solve ─▶ papers, solutions, keys, items
                                                              └ answers ─ mark ─▶ marks, feedback, summary

An ``Exam`` is what a teacher wrote. A ``Variant`` holds the numbers of one paper as values, never as a seed alone, so
that a manifest is all that a paper, its key and its marking need.
"""
