"""The built-in problems: data alone, one problem file each."""
