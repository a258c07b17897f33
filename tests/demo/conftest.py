"""Four households, one of them with two cards, written by hand, in the files' own form."""

import gzip
from pathlib import Path

import pytest

from demo.emitters.event import Event
from demo.emitters.history import events

MINI = {
    "transactions": """\
transaction_timestamp,basket_id,household_id,store_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc
2017-01-03 10:00:00,100,1,309,A,1,1.50,0.50,0.00,0.00
2017-01-03 10:00:00,100,1,309,B,2,0.10,0.00,0.20,0.10
2017-02-03 10:00:00,101,1,310,A,1,2.00,0.00,0.00,0.00
2017-02-03 18:00:00,102,1,310,A,1,0.00,0.00,0.00,0.00
2017-03-01 09:30:00,103,2,310,C,1,19.99,0.00,0.00,0.00
""",
    "products": "product_id,product_category\nA,MILK\nC,WINE\n",
    "demographics": """\
household_id,age,income,home_ownership
2,65+,35-49K,Homeowner
3,19-24,Under 15K,
""",
    "campaigns": "campaign_id,household_id\n1,1\n1,4\n2,1\n",
    "campaign_descriptions": """\
campaign_id,campaign_type,start_date,end_date
1,Type A,2016-12-01,2017-02-01
2,Type B,2017-02-10,2017-03-01
""",
    "made_up/cards": """\
card,household_id,applied_at,given,family,birthdate,street,postal_code,city,phone,email
1,1,2017-01-01 00:00:00,Ada,Quill,1960-05-01,1 Oak Street,62701,Springfield,(217) 555-0100,ada@example.org
4,4,2017-01-01 00:00:00,Ada,Quill,1988-07-30,1 Oak Street,62701,Springfield,(217) 555-0100,
900001,1,2017-02-01 08:00:59,Ada,Quil,1960-05-01,1 Oak St,62701,Springfield,,
""",
    "made_up/calls": "household_id,occurred_at,minutes\n1,2017-02-05 11:00:00,2.5\n2,2017-03-02 12:00:00,\n",
    "made_up/contracts": """\
household_id,contract,event,happened_at,reason,price
1,SP-000001,started,2017-01-10 09:00:00,,9.90
1,SP-000001,payment-failed,2017-02-12 09:00:00,,
1,SP-000001,renewed,2017-02-20 09:00:00,,10.90
2,SP-000002,started,2017-01-10 09:00:00,,14.90
2,SP-000002,payment-failed,2017-02-12 09:00:00,,
2,SP-000002,payment-recovered,2017-02-14 09:00:00,,
2,SP-000002,cancelled,2017-03-01 08:00:00,price,
""",
    "made_up/costs": """\
kind,per_unit,subject,since,until
goods,0.50,,,
goods,0.60,MILK,,
payment-share,0.01,card,,
payment-fixed,0.05,card,,
calls,1,,,2017-02
calls,2,,2017-02,
calls,5,unmeasured,,
campaigns,0.30,,,
shipping,4,,,
overhead,0.10,,,
""",
    "coupon_redemptions": "household_id,coupon_upc,campaign_id,redemption_date\n1,777,1,2017-01-05\n",
}


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mini")
    (folder / "made_up").mkdir()
    for name, text in MINI.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt") as file:
            file.write(text)
    return folder


@pytest.fixture(scope="session")
def everything() -> list[Event]:
    return events()
