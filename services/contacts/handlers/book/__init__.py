"""The contacts of one transaction: loaded once, folded in memory, told to the others, saved once."""

from services.contacts.handlers.book.book import Book
from services.contacts.handlers.book.opening import open_book, open_seen
from services.contacts.handlers.book.store import Changes, Store

__all__ = ["Book", "Changes", "Store", "open_book", "open_seen"]
