"""What can be wrong with a request, named after the situation. The HTTP status of each is in `api`."""


class UnknownCampaign(Exception):
    """No campaign has this id."""

    def __init__(self, campaign_id: str) -> None:
        super().__init__(f"there is no campaign {campaign_id}")


class UnknownSegment(Exception):
    """No saved segment has this id."""

    def __init__(self, segment_id: str) -> None:
        super().__init__(f"there is no segment {segment_id}")


class TakesTooLong(Exception):
    """The database has not found the customers of a rule in the time that a question may take."""

    def __init__(self) -> None:
        super().__init__("finding the customers of this rule takes too long; ask for fewer things, or later")


class AlreadyThere(Exception):
    """The id is taken."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is already a {kind} {name}")
        self.kind = kind
