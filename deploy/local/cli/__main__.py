"""`python -m deploy.local.cli`: the program without an installed entry point."""

from deploy.local.cli import app

app()
