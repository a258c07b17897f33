"""What scoring listens to."""

from services.scoring.handlers import Scores
from shared.contracts.interactions import SALES
from shared.messaging import Messaging, Subscription


def listen(messaging: Messaging, scores: Scores) -> None:
    messaging.listen(Subscription(group="scoring", topics=(SALES,), apply=scores.fold))
