"""What every service of Rapport shares: contracts and plumbing, and no business of any service."""
