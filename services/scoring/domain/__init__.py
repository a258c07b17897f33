"""The rules of scoring, pure and synchronous: purchases, models of purchasing and spending, scores and segments."""
