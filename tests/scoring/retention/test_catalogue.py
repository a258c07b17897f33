"""Actions: what they cost, and figures that make no sense."""

import pytest
from scipy.stats import beta

from services.scoring.domain.retention.catalogue import Action, Catalogue, NotACatalogue, Prior


def test_an_offer_costs_as_often_as_it_is_accepted() -> None:
    assert Action("voucher", 0.5, 10.0, 0.3).expected_cost == pytest.approx(3.5)
    assert Action("voucher", 0.5, 10.0).expected_cost == pytest.approx(10.5)


def test_the_prior_is_what_its_description_says() -> None:
    prior = Prior()
    assert prior.mean == pytest.approx(0.02)
    assert prior.variance == pytest.approx(beta(1, 49).var())
    assert beta(1, 49).ppf(0.95) == pytest.approx(0.059, abs=5e-4)


@pytest.mark.parametrize("figures", [(-1.0, 0.0, 1.0), (0.0, -1.0, 1.0), (0.0, 0.0, 1.1), (float("nan"), 0.0, 1.0)])
def test_a_figure_that_makes_no_sense_is_refused(figures: tuple[float, float, float]) -> None:
    with pytest.raises(NotACatalogue):
        Action("call", *figures)


@pytest.mark.parametrize("name", ["", "none"])
def test_an_action_is_not_named_like_no_action(name: str) -> None:
    with pytest.raises(NotACatalogue):
        Action(name, 1.0)


def test_two_actions_of_one_name_are_refused() -> None:
    with pytest.raises(NotACatalogue):
        Catalogue((Action("call", 1.0), Action("call", 2.0)))


@pytest.mark.parametrize("parameters", [(0.0, 1.0), (1.0, -1.0), (1.0, float("inf"))])
def test_a_prior_that_is_no_beta_is_refused(parameters: tuple[float, float]) -> None:
    with pytest.raises(NotACatalogue):
        Prior(*parameters)
