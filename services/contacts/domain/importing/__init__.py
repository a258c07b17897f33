"""Rules of files of contacts: which column is which field, what a row says, what it would change."""
