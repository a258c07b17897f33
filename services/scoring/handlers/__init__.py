"""What scoring does: score customers when they buy and as time passes (`scores`), refit the models (`models`) and choose
which (`choosing`, `contesting`) and for whom (`channels`, `pacing`), remember what customers like (`wishing`), sign
(`contracting`), how that ends (`ending`) and what they earn us (`booking`, `profits`), look through all of it (`looking`),
decide what may keep a customer (`retaining`), look back at what the scores of a while ago were worth (`reviewing`), and learn
from what customers did who leaves (`behaving`, `churning`) and whom an action persuades (`persuading`).
"""

from services.scoring.handlers.channels import ChannelLook, ChannelLooks, Channels
from services.scoring.handlers.choosing import Champion, Choice, Choosing
from services.scoring.handlers.churning import Churning, ChurnVersion, Foretold
from services.scoring.handlers.contesting import Contest, Contesting
from services.scoring.handlers.contracting import Contracting, Risks, Standing
from services.scoring.handlers.customers import Customers, Known, Packed, Regrouped, Scored, Sheet, Summary, scored_of
from services.scoring.handlers.deeds import Change, Deeds, Remembered
from services.scoring.handlers.ending import Ending, EndingVersion, Ends
from services.scoring.handlers.looking import LookAt, Looking
from services.scoring.handlers.merging import Merging
from services.scoring.handlers.models import Models, Population, Refitting, Report
from services.scoring.handlers.pacing import PaceLook, PaceLooks, Pacing
from services.scoring.handlers.persuading import ActionLearnt, Persuading, UpliftVersion
from services.scoring.handlers.profits import Earned, Ledger, Look, Profits
from services.scoring.handlers.retaining import Decided, Drawn, Due, Retaining, evidence_of
from services.scoring.handlers.reviewing import Review, Reviewing
from services.scoring.handlers.runs import OwnRuns, Run, Runs
from services.scoring.handlers.scores import SaleFact, Scores
from services.scoring.handlers.studying import Leaf, PackedLesson, Studied, Studying
from services.scoring.handlers.sweeping import Sweeping, Transactions
from services.scoring.handlers.valuing import Valued, Valuing
from services.scoring.handlers.wishing import Interest, Kind, LastBasket, Liked, Name, Offer, Product, Wished, Wishing

__all__ = [
    "ActionLearnt",
    "Champion",
    "Change",
    "ChannelLook",
    "ChannelLooks",
    "Channels",
    "Choice",
    "Choosing",
    "ChurnVersion",
    "Churning",
    "Contest",
    "Contesting",
    "Contracting",
    "Customers",
    "Decided",
    "Deeds",
    "Drawn",
    "Due",
    "Earned",
    "Ending",
    "EndingVersion",
    "Ends",
    "Foretold",
    "Interest",
    "Kind",
    "Known",
    "LastBasket",
    "Leaf",
    "Ledger",
    "Liked",
    "Look",
    "LookAt",
    "Looking",
    "Merging",
    "Models",
    "Name",
    "Offer",
    "OwnRuns",
    "PaceLook",
    "PaceLooks",
    "Pacing",
    "Packed",
    "PackedLesson",
    "Persuading",
    "Population",
    "Product",
    "Profits",
    "Refitting",
    "Regrouped",
    "Remembered",
    "Report",
    "Retaining",
    "Review",
    "Reviewing",
    "Risks",
    "Run",
    "Runs",
    "SaleFact",
    "Scored",
    "Scores",
    "Sheet",
    "Standing",
    "Studied",
    "Studying",
    "Summary",
    "Sweeping",
    "Transactions",
    "UpliftVersion",
    "Valued",
    "Valuing",
    "Wished",
    "Wishing",
    "evidence_of",
    "scored_of",
]
