"""``python -m derive`` is the command line."""

from derive.cli import run

if __name__ == "__main__":
    run()
