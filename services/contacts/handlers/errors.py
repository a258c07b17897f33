"""What cannot be done as asked. `api/problems` says what each is to a client."""


class NoSuchContact(LookupError):
    """No contact has this id."""


class IdentifierTaken(ValueError):
    """An identifier is a contact's already."""

    def __init__(self, identifier: str, customer_id: str | None) -> None:
        """`customer_id`: None, where the caller must not know whose."""
        super().__init__(identifier)
        self.identifier = identifier
        self.customer_id = customer_id


class OutOfSight(ValueError):
    """Who may see some contacts only would lose this one from their sight, or has made one that they do not see."""


class VersionMismatch(ValueError):
    """The contact has changed since the caller read it."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


class NoSuchMerge(LookupError):
    """No merge has this id."""


class SameContact(ValueError):
    """A contact cannot be merged into itself."""


class AlreadyMerged(ValueError):
    """One of the two was merged into somebody before; `root` answers for it now."""

    def __init__(self, customer_id: str, root: str) -> None:
        super().__init__(customer_id)
        self.customer_id = customer_id
        self.root = root


class NoSuchPair(LookupError):
    """No pair of contacts has this name in the queue of duplicates."""
