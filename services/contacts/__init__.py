"""Who the customers are: people, organisations and households, their identifiers and consents."""
