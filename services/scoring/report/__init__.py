"""The report that a manager can open: one HTML file, drawn from what the service's API says."""

from services.scoring.report.page import Facts, html

__all__ = ["Facts", "html"]
