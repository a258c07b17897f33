"""Wishes over HTTP: what a customer is likely to want next and how they like to be met, and the catalogue of products."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, StrictBool

from services.scoring.api.survivors import Survivors
from services.scoring.handlers import Product, Studying, Wished, Wishing
from shared.contracts.fact import CustomerId, Key, Name
from shared.http import Cursor, Limit, Page, Problem, encode_cursor, text_of
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
Writer = Annotated[Principal, Depends(require("scoring:write"))]
Number = Annotated[int, Query(ge=1, le=100, description="How many offers there are at most.")]
ProductKey = Annotated[Key, Path(description="As the channels' orders name it.")]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class ProductShown(BaseModel):
    """A product as far as anybody has described it. One that is not available is never offered."""

    product: Key
    name: str | None
    category: str | None
    available: bool


class OfferShown(BaseModel):
    """A product that the customer is likely to buy next, the likeliest first, and why, in words."""

    product: ProductShown
    score: float
    reason: str


class InterestShown(BaseModel):
    """A category and its share of what the customer buys, what is recent counting more."""

    category: str
    share: float


class HourShown(BaseModel):
    """The hour of the week in which the customer is most likely to be in contact, and its share of all contacts."""

    weekday: str
    hour: Annotated[int, Field(ge=0, le=23)]
    share: float
    time_zone: str


class WishesShown(BaseModel):
    """What a customer is likely to want next, and how they like to be met.

    Channel and hour are null as long as the customer shows no clear preference; offers are empty until the base has
    been looked through for the first time.
    """

    customer_id: CustomerId
    as_of: datetime
    offers: list[OfferShown]
    interests: list[InterestShown]
    channel: str | None
    hour: HourShown | None


class MixShown(BaseModel):
    """How much each kind of evidence weighs beside the customer's own purchases."""

    together: float
    popular: float
    again: float
    ridge: float
    due: float


class AccuracyShown(BaseModel):
    """Of ten offers, against the baskets from which the mix was chosen: means over customers."""

    recall: float
    ndcg: float
    hit: float


class StudyShown(BaseModel):
    """The last look through the whole base, by this instance."""

    customers: int
    products: int
    mix: MixShown
    accuracy: AccuracyShown | None
    seconds: float


class ProductDescription(BaseModel):
    """What is absent is forgotten; the category that orders tell is used where none is set here."""

    name: Name | None = None
    category: Key | None = None
    available: StrictBool = True


class Catalogue(Protocol):
    async def describe(self, product: str, *, name: str | None, category: str | None, available: bool) -> Product: ...

    async def product(self, product: str) -> Product | None: ...

    async def products(self, after: str | None = None, limit: int = 0) -> list[Product]: ...


def wish_routes(wishing: Wishing, studying: Studying, survivors: Survivors) -> APIRouter:
    routes = APIRouter(prefix="/v1/wishes", tags=["wishes"])

    @routes.get("/study", summary="The last look through the base for what goes together")
    async def read_study(_: Reader) -> StudyShown:
        if studying.studied is None:
            raise Problem(404, detail="This instance has not looked through the base yet.")
        customers, products, mix, accuracy, seconds = studying.studied
        shown = AccuracyShown(**accuracy._asdict()) if accuracy else None
        mixed = MixShown(**vars(mix))
        return StudyShown(customers=customers, products=products, mix=mixed, accuracy=shown, seconds=seconds)

    @routes.get("/{customer_id}", summary="What a customer is likely to want next, and how they like to be met")
    async def read_wishes(_: Reader, customer_id: CustomerId, number: Number = 10) -> WishesShown:
        found = await wishing.read(await survivors.root(customer_id), number)
        if found is None:
            raise Problem(404, detail="Nothing has been heard of the customer.")
        return _wishes(found, wishing.zone_name)

    return routes


def product_routes(catalogue: Catalogue) -> APIRouter:
    routes = APIRouter(prefix="/v1/products", tags=["products"])

    @routes.get("", summary="List the products that orders have named or somebody has described")
    async def list_products(_: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[ProductShown]:
        items = await catalogue.products(text_of(cursor, "product"), limit)
        after = encode_cursor({"product": items[-1].product}) if len(items) == limit else None
        return Page(items=[_product(item) for item in items], next=after)

    @routes.get("/{product:path}", summary="One product")
    async def read_product(_: Reader, product: ProductKey) -> ProductShown:
        found = await catalogue.product(product)
        if found is None:
            raise Problem(404, detail="No order has named the product, and nobody has described it.")
        return _product(found)

    @routes.put(
        "/{product:path}", summary="Describe a product: what agents call it, its category, whether it can be had"
    )
    async def describe_product(_: Writer, product: ProductKey, body: ProductDescription) -> ProductShown:
        return _product(await catalogue.describe(product, **vars(body)))

    return routes


def _wishes(found: Wished, time_zone: str) -> WishesShown:
    hour = found.hour
    shown = (
        HourShown(weekday=WEEKDAYS[hour.weekday], hour=hour.hour, share=hour.share, time_zone=time_zone)
        if hour
        else None
    )
    return WishesShown(
        customer_id=found.customer_id,
        as_of=found.as_of,
        offers=[
            OfferShown(product=_product(offer.product), score=round(offer.score, 6), reason=offer.reason)
            for offer in found.offers
        ],
        interests=[InterestShown(category=one.category, share=round(one.share, 6)) for one in found.interests],
        channel=found.channel,
        hour=shown,
    )


def _product(found: Product) -> ProductShown:
    return ProductShown(product=found.product, name=found.name, category=found.category, available=found.available)
