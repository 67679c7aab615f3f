"""Reports: blocks of prose and formulas, the catalogues that fill them, and the formats that set them."""
