"""The `rapport` program."""

from deploy.local.cli.main import run as app

__all__ = ["app"]
