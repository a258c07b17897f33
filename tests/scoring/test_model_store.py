"""Versions in MongoDB: of every family, and as they were stored before there were families."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.channels import Channel, code_of
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import ByChannel, Parameters
from services.scoring.domain.overview import Inputs
from services.scoring.domain.pacing import Found as FoundPace
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchasing import PLAIN, Family
from services.scoring.domain.score import Terms
from services.scoring.domain.seasonality import Evidence, Found as FoundSeason
from services.scoring.domain.shrinkage import Apart, Found, Tried
from services.scoring.domain.tempo import EVEN, Tempo
from services.scoring.domain.yearly import STEADY, Season
from services.scoring.handlers import Champion, ChannelLook, Choice, PaceLook, scored_of
from services.scoring.handlers.choosing import NOT_LOOKED
from services.scoring.store import MongoChannelLooks, MongoChoices, MongoContests, MongoModels, MongoPaceLooks
from shared.mongo import Database
from tests.scoring.events import customer
from tests.scoring.orders import START, synthetic_base
from tests.scoring.seasonal import SUMMER_AND_CHRISTMAS
from tests.scoring.test_score import MODEL

pytestmark = pytest.mark.integration
BY_CHANNEL = ByChannel(PLAIN, (Channel("web", 90, (0.6, -0.8, 0.3, -0.2)),))
TEMPO = Tempo(-0.4, 0.3, 40.0, 3.0, 0.1)
OLD_FORM = {
    "_id": 7,
    "fitted_at": START,
    "parameters": {
        "visits": {"r": 1.4, "alpha": 26.0, "a": 0.07, "b": 38.0},
        "spends": {"p": 6.25, "q": 3.74, "gamma": 15.44},
        "top_money": 200.0,
    },
    "log_likelihood_visits": -12.5,
    "log_likelihood_spends": -3.25,
    "customers": 100,
    "cells": 12,
    "as_of": START,
}
"""A document as the release before stored it."""


async def test_a_version_stored_in_the_old_form_is_read_and_scored_by(database: Database) -> None:
    await database["models"].insert_one(dict(OLD_FORM))
    model = await MongoModels(database).latest()
    assert model is not None
    assert model.parameters == Parameters(MbgNbd(1.4, 26.0, 0.07, 38.0), GammaGamma(6.25, 3.74, 15.44), 200.0)
    assert (model.version, model.parameters.name, model.fit.doubts, model.fit.why) == (7, "mbg-nbd+gamma-gamma", (), "")
    base, end = synthetic_base(20, 300, seed=3)
    made = scored_of({customer(n): one for n, one in enumerate(base)}, {}, Terms(model, end, 90, "USD"))
    assert all(one.score.model is not None and one.score.model.version == 7 for one in made)
    assert await MongoModels(database).as_of(START) == model
    assert model.parameters.season == STEADY
    assert (model.parameters.by_channel, model.parameters.by_code) == (None, {})


async def test_mbg_nbd_is_stored_as_it_always_was(database: Database) -> None:
    await MongoModels(database).add(MODEL)
    stored = await database["models"].find_one({"_id": MODEL.version})
    assert stored is not None
    assert set(stored["parameters"]["visits"]) == {"r", "alpha", "a", "b"}


@pytest.mark.parametrize(
    "visits", [MbgCnbd(3, 2.4, 50.0, 0.9, 2.5, 0.2), MbgCnbd(1, 1.4, 26.0, 0.0, 1.0)], ids=["rhythm", "nobody-leaves"]
)
async def test_versions_of_other_families_come_back_as_they_were(database: Database, visits: MbgCnbd) -> None:
    parameters = replace(MODEL.parameters, visits=visits)
    model = replace(MODEL, fit=replace(MODEL.fit, parameters=parameters, doubts=("dropout not identified",), why="so"))
    models = MongoModels(database)
    assert await models.add(model)
    assert await models.latest() == model


async def test_a_season_comes_back_as_it_was(database: Database) -> None:
    parameters = replace(MODEL.parameters, season=Season.of(SUMMER_AND_CHRISTMAS))
    model = replace(MODEL, fit=replace(MODEL.fit, parameters=parameters))
    await MongoModels(database).add(model)
    assert await MongoModels(database).latest() == model


async def test_choices_of_before_there_were_seasons_are_read(database: Database) -> None:
    choices = MongoChoices(database)
    nothing = Choice(START, "doubt", 0, 2**31 - 1, None, "", (), ("too few customers",), None, Inputs.empty(), 0.1)
    await choices.note_choice(nothing)
    await database["notes"].update_one({"_id": "choice"}, {"$unset": {"season": 1}})
    found = await choices.choice()
    assert found is not None
    assert found.season == NOT_LOOKED


async def test_spans_scored_before_there_were_seasons_are_scored_again(database: Database) -> None:
    contests, said = MongoContests(database), Calibration.of(np.array([0.2, 0.9]), np.array([0.0, 1.0]))
    await database["contests"].insert_one({"_id": 7, "said": {"mbg-nbd": said.pack()}})
    assert await contests.tables([7]) == {}
    await contests.add(7, {"mbg-nbd": said.plus(said)})
    assert (await contests.tables([7]))[7]["mbg-nbd"].rows == 4


async def test_choices_and_contests_come_back_as_they_were(database: Database) -> None:
    choices, contests = MongoChoices(database), MongoContests(database)
    assert await choices.choice() is None
    assert await contests.contested() is None
    inputs = Inputs.of(Histories.of(synthetic_base(30, 300, seed=4)[0]), 19_000)
    champion = Champion(Family(3), START, "foretold best", 30, inputs)
    nothing = Choice(START, "doubt", 0, 2**31 - 1, None, "", (), ("too few customers",), None, Inputs.empty(), 0.1)
    some = (("mbg-nbd", -10.5, 3.25, None), ("cnbd-2", -11.0, 0.5, "dropout not identified"))
    season = FoundSeason(Season.of(SUMMER_AND_CHRISTMAS), "years are alike", Evidence(20, 12.5, 3.5, 1e-4))
    full = Choice(START, "taken", 30, 18_600, Family(3), "foretold best", some, (), champion, inputs, 0.5, season)
    for one in (nothing, full):
        await choices.note_choice(one)
        found = await choices.choice()
        assert found is not None
        assert plain(found) == plain(one)
    said = Calibration.of(np.array([0.2, 0.9]), np.array([0.0, 1.0]))
    await contests.add(7, {"mbg-nbd": said})
    await contests.add(7, {"mbg-cnbd-3+loyal": said.plus(said)})
    tables = await contests.tables([6, 7])
    assert {name: table.rows for name, table in tables[7].items()} == {"mbg-nbd": 2, "mbg-cnbd-3+loyal": 4}
    assert (tables[7]["mbg-nbd"].sums == said.sums).all()
    await contests.note_contest(START, 30)
    assert await contests.contested() == (START, 30)
    await contests.forget()
    assert await contests.tables([7]) == {}


def plain(choice: Choice) -> tuple[Any, ...]:
    """Comparable: arrays as lists."""
    champion = choice.champion and choice.champion._replace(inputs=None)  # type: ignore[arg-type]
    kept = [choice.champion.inputs.pack()] if choice.champion else []
    return (*choice._replace(inputs=None, champion=champion), choice.inputs.pack(), kept)  # type: ignore[arg-type]


async def test_a_version_that_tells_channels_apart_comes_back_as_it_was(database: Database) -> None:
    parameters = replace(MODEL.parameters, by_channel=BY_CHANNEL)
    model = replace(MODEL, fit=replace(MODEL.fit, parameters=parameters))
    assert await MongoModels(database).add(model)
    found = await MongoModels(database).latest()
    assert found == model
    assert found.parameters.by_code.keys() == {code_of("web")}


async def test_a_version_with_a_tempo_comes_back_as_it_was_and_older_ones_have_none(database: Database) -> None:
    parameters = replace(MODEL.parameters, tempo=TEMPO)
    model = replace(MODEL, fit=replace(MODEL.fit, parameters=parameters))
    assert await MongoModels(database).add(model)
    assert await MongoModels(database).latest() == model
    await database["models"].update_one({"_id": model.version}, {"$unset": {"parameters.tempo": ""}})
    found = await MongoModels(database).latest()
    assert found is not None
    assert found.parameters.tempo == EVEN


async def test_a_look_for_a_pace_comes_back_as_it_was(database: Database) -> None:
    looks = MongoPaceLooks(database)
    assert await looks.pace_look() is None
    for found in (FoundPace(TEMPO, "learnt before", 300, 0.001, 0.0003), FoundPace(EVEN, "too few", 3)):
        look = PaceLook(START, found, 3, ("spend not identified",))
        await looks.note_pace_look(look)
        assert await looks.pace_look() == look


async def test_a_comparison_of_channels_comes_back_as_it_was(database: Database) -> None:
    looks = MongoChannelLooks(database)
    assert await looks.channel_look() is None
    apart = (Apart(BY_CHANNEL.channels[0], None), Apart(Channel("fair", 3, (0.0,) * 4), Doubt.TOO_FEW))
    for found in (
        Found(math.inf, (Tried(0.1, 0.01, 0.002), Tried(math.inf, 0.02, 0.002)), apart, BY_CHANNEL),
        Found(0.0, (), (), ByChannel(PLAIN, ()), Doubt.NOT_CONVERGED),
    ):
        look = ChannelLook(START, PLAIN, 18_628, found, 3, ("spend not identified",))
        await looks.note_channel_look(look)
        assert await looks.channel_look() == look
