"""The rules of contacts: whose an identifier is, and which of many reports about a field holds."""
