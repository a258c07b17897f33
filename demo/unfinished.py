"""Why a run could not be played to its end. Each has a name of its own where it is raised."""


class Unfinished(Exception):
    """The platform or a channel did what its documentation does not allow; nothing can be judged."""
