"""A set of variants: its manifest with every number, the codes on the papers, and the report on how alike they are."""
