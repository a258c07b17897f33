"""One competitor's work in a process of its own: `python -m tests.bench.duplicates.one NAME SET`, figures as JSON.

From columns of text to clusters. Seconds by the wall and of CPU without imports and without reading the set; the peak of
memory is the whole process's, with imports. Splink and recordlinkage get what their documentation recommends for such data;
where they leave the threshold open, the best of four is taken, chosen with the truth in their favour.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.bench.duplicates.sets import Duplicates, load

Clusters = list[list[int]]
THRESHOLDS = (0.5, 0.9, 0.95, 0.99)
GIVEN, FAMILY = ("given_name", "first_name", "given"), ("surname", "family")
BIRTH = ("date_of_birth", "dob", "birth")
POSTCODE, STREET = ("postcode",), ("address_1", "street")
CITY = ("suburb", "city")
EXACT = ("soc_sec_id", "phone", "street_number", "number", "state")


def rapport(data: Duplicates) -> Callable[[], dict[float, Clusters]]:
    """What `rapport contacts duplicates` does, at its own threshold."""
    from services.contacts.domain.matching.decide import AUTOMATIC, Thresholds
    from services.contacts.evaluation.duplicates import evaluate
    from services.contacts.evaluation.reading import Records

    records = Records(data.columns, list(range(len(data.truth))))
    return lambda: {AUTOMATIC: evaluate(records, Thresholds()).found.clusters}


def splink(data: Duplicates) -> Callable[[], dict[float, Clusters]]:
    """Comparisons of its library by kind of column, term frequencies for names; u by sampling, m by EM in two passes."""
    import pandas as pd
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    columns = {name: [value or None for value in values] for name, values in data.columns.items()}
    frame = pd.DataFrame({"unique_id": range(len(data.truth)), **columns})
    birth = _name(data, BIRTH)
    pattern = "%Y%m%d" if birth == "date_of_birth" else "%Y-%m-%d"

    def comparison(name: str) -> Any:
        if name in {*GIVEN, *FAMILY}:
            return cl.NameComparison(name)
        if name == birth:
            return cl.DateOfBirthComparison(name, input_is_string=True, datetime_format=pattern)
        if name == "email":
            return cl.EmailComparison(name)
        if name in EXACT:
            return cl.LevenshteinAtThresholds(name, [1, 2]).configure(term_frequency_adjustments=True)
        return cl.JaroWinklerAtThresholds(name, [0.9, 0.7]).configure(term_frequency_adjustments=True)

    blocks = [block_on(*names) for names in blocking(data)]

    def work() -> dict[float, Clusters]:
        settings = SettingsCreator(
            link_type="dedupe_only",
            comparisons=[comparison(name) for name in data.columns],
            blocking_rules_to_generate_predictions=blocks,
        )
        api = DuckDBAPI()
        linker = Linker(api.register(frame), settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match(blocks[:3], recall=0.8)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(_name(data, GIVEN), _name(data, FAMILY))
        )
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(birth))
        pairs = linker.inference.predict(threshold_match_probability=0.5)
        found = {}
        for threshold in THRESHOLDS:
            groups = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold)
            found[threshold] = _groups(groups.as_pandas_dataframe()[["unique_id", "cluster_id"]].to_numpy().tolist())
        return found

    return work


def recordlinkage(data: Duplicates) -> Callable[[], dict[float, Clusters]]:
    """Jaro-Winkler at .85 and equality, several blocks, ECM; clusters are connected components."""
    import pandas as pd
    import recordlinkage as rl

    frame = pd.DataFrame({name: [value or None for value in values] for name, values in data.columns.items()})

    def work() -> dict[float, Clusters]:
        index = rl.Index()
        for names in blocking(data):
            index.block(list(names))
        pairs = index.index(frame)
        compare = rl.Compare()
        for name in data.columns:
            if name in {*EXACT, *BIRTH, *POSTCODE}:
                compare.exact(name, name, label=name)
            else:
                compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
        features = compare.compute(pairs, frame)
        model = rl.ECMClassifier()
        model.fit(features)
        probability = model.prob(features)
        return {threshold: _connected(probability[probability >= threshold].index.tolist()) for threshold in THRESHOLDS}

    return work


def blocking(data: Duplicates) -> list[tuple[str, ...]]:
    """For both: seven passes where the columns allow it, as our reference measurement had them."""
    given, family, birth = (_name(data, names) for names in (GIVEN, FAMILY, BIRTH))
    passes: list[tuple[str, ...]] = [(given, family), (birth,)]
    for names in (POSTCODE, CITY):
        if (place := _name(data, names)) in data.columns:
            passes += [(family, place), (given, place)]
    passes += [(name,) for name in ("soc_sec_id", "email", "phone", *STREET) if name in data.columns]
    return passes


def _name(data: Duplicates, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in data.columns), "")


def _groups(labelled: list[list[Any]]) -> Clusters:
    groups = defaultdict(list)
    for row, label in labelled:
        groups[label].append(int(row))
    return [group for group in groups.values() if len(group) > 1]


def _connected(pairs: list[tuple[int, int]]) -> Clusters:
    parent: dict[int, int] = {}

    def root(row: int) -> int:
        while parent.setdefault(row, row) != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in pairs:
        parent[root(a)] = root(b)
    return _groups([[row, root(row)] for row in list(parent)])


COMPETITORS: dict[str, Callable[[Duplicates], Callable[[], dict[float, Clusters]]]] = {
    "rapport": rapport,
    "splink": splink,
    "recordlinkage": recordlinkage,
}


def main() -> None:
    name, of = sys.argv[1:]
    warnings.simplefilter("ignore")
    data = load(of)
    work = COMPETITORS[name](data)
    began, used = time.perf_counter(), time.process_time()
    found = work()
    seconds = {"s": time.perf_counter() - began, "CPU s": time.process_time() - used}
    best = max(found, key=lambda threshold: data.figures(found[threshold])["F1"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**data.figures(found[best]), "threshold": best, **seconds, "peak MB": peak}))


if __name__ == "__main__":
    main()
