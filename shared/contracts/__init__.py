"""What Rapport's services tell each other: one module a publisher, its topic and its facts."""
