"""What can be wrong with a request, named after the situation. The HTTP status of each is in `api`."""


class UnknownCampaign(Exception):
    """No campaign has this id."""

    def __init__(self, campaign_id: str) -> None:
        super().__init__(f"there is no campaign {campaign_id}")


class UnknownSegment(Exception):
    """No saved segment has this id."""

    def __init__(self, segment_id: str) -> None:
        super().__init__(f"there is no segment {segment_id}")


class AlreadyThere(Exception):
    """The id is taken."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is already a {kind} {name}")
        self.kind = kind
