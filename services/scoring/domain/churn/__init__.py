"""Churn from behaviour, in the running service: rows of the past (`rows`), who of them is learnt from and tried (`calendar`),
whether what is learnt foretells better than purchases alone (`judging`), and that in words (`words`).
"""
