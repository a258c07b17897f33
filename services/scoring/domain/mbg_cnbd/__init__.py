"""MBG/CNBD-k: MBG/NBD where buying may be regular, where some may never leave, or nobody does."""

from services.scoring.domain.mbg_cnbd.likelihood import likelihood_of, likelihood_without_dropout
from services.scoring.domain.mbg_cnbd.model import MbgCnbd
from services.scoring.domain.mbg_cnbd.outlook import Outlook, outlook

__all__ = ["MbgCnbd", "Outlook", "likelihood_of", "likelihood_without_dropout", "outlook"]
