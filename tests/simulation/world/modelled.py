"""What the simulation does not model must not go unnoticed: the code under test would take it for a failure to live with."""

from __future__ import annotations

from typing import ClassVar, NoReturn


class NotModelled(NotImplementedError):
    """A call that the simulated engines do not know. Ends the run, even if somebody catches it."""

    met: ClassVar[list[NotModelled]] = []

    def __init__(self, what: str) -> None:
        super().__init__(f"the simulation does not model {what}")
        self.met.append(self)


class Modelled:
    """An object whose unknown attributes are calls that are not modelled."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotModelled(f"{type(self).__name__}.{name}")
