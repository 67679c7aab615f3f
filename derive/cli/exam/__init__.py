"""``derive exam``: one exam file becomes many papers, each with its key."""

from __future__ import annotations

from importlib import import_module

import click

# Commands with a module of their own, imported when they are asked for: `build` is `build` of `derive.cli.exam.build`.
OWN = ("build", "export", "new", "rebuild")


class Commands(click.Group):
    """The commands of ``derive exam``, each loaded by who asks for it."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; ``None`` for any other."""
        if cmd_name not in OWN:
            return None
        found: click.Command = getattr(import_module(f"derive.cli.exam.{cmd_name}"), cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(OWN)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def exam() -> None:
    """Papers with variants: thirty of equal difficulty from one exam file, each with its solution and its key."""
