#!/usr/bin/env bash
# Writes the lock files anew: exact versions with hashes, naming no package index. Needs `uv` on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() { env -u PIP_FIND_LINKS -u UV_FIND_LINKS uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'requirements/lock.sh' "$@"; }
lock pyproject.toml --extra motor --output-file requirements/runtime.txt
lock pyproject.toml requirements/dev.in --extra motor --extra local --extra parquet --constraint requirements/runtime.txt --output-file requirements/dev.txt
lock pyproject.toml requirements/peers.in --output-file requirements/peers.txt  # not constrained: Quix Streams wants an older pydantic
lock requirements/fuzz.in --constraint requirements/dev.txt --output-file requirements/fuzz.txt
lock requirements/scores.in --output-file requirements/scores.txt  # not constrained: the peers want what they want
lock requirements/duplicates.in --output-file requirements/duplicates.txt  # not constrained: the peers want what they want
