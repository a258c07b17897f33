"""Of a customer's consents: all that was said, what waits to be confirmed, and the links by which they can be changed."""

from shared.held import Item, Section, by_id, having, whole
from shared.mongo import Database, Document


def consents(database: Database) -> Section:
    about = "All that you have ever said about consent."
    return Section("consents", about, by_id(database["consents"], having("customer_id"), whole))


def confirmations(database: Database) -> Section:
    about = (
        "What you, or somebody in your name, have asked for and what waits for your confirmation, or has got it lately."
    )
    return Section("confirmations", about, by_id(database["confirmations"], having("customer_id"), whole))


def preference_links(database: Database) -> Section:
    about = "That there are links for you to the preference centre, and since when."
    return Section("preference_links", about, by_id(database["preference_links"], having("_id"), _link_number))


def _link_number(document: Document) -> Item:
    """Without the number, which would be a part of a valid link."""
    return {"id": document["_id"], "since": document["since"]}
