"""The run record: round trip, continuation, refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ResultError
from bench.results.onepass import OnePassStore
from bench.results.record import (
    RunFailure,
    RunRecord,
    continue_record,
    read_record,
    require_same,
    write_record,
)

FACTS = {"seed": 0, "options": {"scale": 2}, "libraries": {"numpy": "2.1", "torch": "2.4"}}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FAILURES = st.builds(RunFailure, st.text(), st.none() | st.integers(1), st.text())
RECORDS = st.builds(
    RunRecord,
    st.dictionaries(st.text(), VALUES, max_size=4),
    st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=2).map(tuple),
    st.lists(FAILURES, max_size=3).map(tuple),
)


@pytest.fixture
def store(tmp_path: Path) -> OnePassStore:
    store = OnePassStore(tmp_path, "otb2015")
    store.folder("kcf").mkdir(parents=True)
    return store


def finish_one(store: OnePassStore) -> None:
    store.boxes_path("kcf", "Bolt").write_text("1,2,3,4\n")


@settings(deadline=None)
@given(record=RECORDS)
def test_round_trip(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "run.json"
    write_record(path, record)
    assert read_record(path) == record


def test_failures_replace_each_other_and_are_cleared() -> None:
    first, second = RunFailure("Bolt", 3, "raised"), RunFailure("Bolt", None, "hung")
    other = RunFailure("Car4", 1, "raised")
    record = RunRecord({}).failed(first).failed(other).failed(second)
    assert record.failures == (other, second)
    assert record.finished("Car4").finished("Human4").failures == (second,)


def test_a_session_is_added_and_the_rest_kept(store: OnePassStore) -> None:
    failure = RunFailure("Car4", 1, "raised")
    earlier = RunRecord({**FACTS, "device": "cpu"}, ({"started": "then"},), (failure,))
    write_record(store.record_path("kcf"), earlier)
    finish_one(store)
    record = continue_record(store, "kcf", RunRecord(FACTS, ({"started": "now"},)))
    assert record.sessions == ({"started": "then"}, {"started": "now"})
    assert record.failures == (failure,)
    assert record.provenance["device"] == "cpu"
    ended = record.ended().sessions
    assert ended[0] == {"started": "then"}
    assert ended[1]["ended"].endswith("+00:00")


@pytest.mark.parametrize(
    ("change", "differences"),
    [
        ({"seed": 1}, ["seed: expected 1, found 0"]),
        ({"options": {"scale": 3}}, ["options.scale: expected 3, found 2"]),
        ({"options": {}}, ["options.scale: expected None, found 2"]),
        (
            {"libraries": {"numpy": "2.2"}, "new": "x"},
            [
                "libraries.numpy: expected '2.2', found '2.1'",
                "libraries.torch: expected None, found '2.4'",
                "new: expected 'x', found None",
            ],
        ),
    ],
)
def test_every_differing_fact_is_named(
    change: dict[str, Any], differences: list[str], store: OnePassStore
) -> None:
    write_record(store.record_path("kcf"), RunRecord({**FACTS, "device": "cpu"}))
    finish_one(store)
    with pytest.raises(ResultError) as caught:
        continue_record(store, "kcf", RunRecord({**FACTS, **change}))
    message = str(caught.value)
    assert f": {'; '.join(differences)}. " in message
    assert message.startswith(str(store.record_path("kcf")))
    assert f"another --name, or delete {store.folder('kcf')} to start over" in message


@given(
    st.dictionaries(st.sampled_from("abc"), VALUES),
    st.dictionaries(st.sampled_from("abc"), VALUES),
)
def test_refused_exactly_where_facts_differ(there: dict[str, Any], here: dict[str, Any]) -> None:
    def known(facts: Any) -> Any:
        """Drop None and empty groups, which state nothing."""
        if not isinstance(facts, dict):
            return facts
        pairs = {str(name): known(value) for name, value in facts.items()}
        return {name: value for name, value in pairs.items() if value not in (None, {})}

    try:
        require_same(Path("run.json"), RunRecord(there), RunRecord(here))
        refused = False
    except ResultError:
        refused = True
    if known(there) == known(here):
        assert not refused
    elif not any(isinstance(v, dict) for v in [*there.values(), *here.values()]):
        assert refused


def test_each_run_says_where_it_was_made() -> None:
    record = RunRecord({}, ({"started": "then"},))
    one, two = {"device": "A100", "host": "x"}, {"device": "H200", "host": "y"}
    for name, place in (("a", one), ("b", two), ("c", one), ("a", two)):  # a ran again
        record = record.made(name, place)
    places = record.sessions[-1]["places"]
    assert {place["host"]: place["runs"] for place in places} == {"x": ["c"], "y": ["b", "a"]}
    assert set(record.devices()) == {"A100", "H200"}
    former = RunRecord({"device": "V100"}, record.sessions)
    assert set(former.devices()) == {"V100", "A100", "H200"}


def test_the_device_is_no_difference(store: OnePassStore) -> None:
    write_record(store.record_path("kcf"), RunRecord({**FACTS, "device": "cpu"}))
    finish_one(store)
    continue_record(store, "kcf", RunRecord({**FACTS, "device": "cuda"}))


def test_a_record_without_results_is_replaced(store: OnePassStore) -> None:
    current = RunRecord({**FACTS, "seed": 1}, ({"started": "now"},))
    assert continue_record(store, "kcf", current) == current
    write_record(store.record_path("kcf"), RunRecord(FACTS, ({"started": "then"},)))
    assert continue_record(store, "kcf", current) == current


def test_results_of_unknown_or_foreign_origin_are_refused(store: OnePassStore) -> None:
    finish_one(store)
    with pytest.raises(ResultError, match=r"expected a record .* found none"):
        continue_record(store, "kcf", RunRecord(FACTS))
    store.record_path("kcf").write_text(json.dumps({"kind": "import", "source": "/raw"}))
    with pytest.raises(ResultError, match=r"expected results of a run .* found kind 'import'"):
        continue_record(store, "kcf", RunRecord(FACTS))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "{}", '{"kind": "run"}', "\xff",
        '{"kind": "run", "provenance": 3, "sessions": [], "failures": []}',
        '{"kind": "run", "provenance": {}, "sessions": 3, "failures": []}',
        '{"kind": "run", "provenance": {}, "sessions": [], "failures": [{"frame": 1}]}',
    ],
)  # fmt: skip
def test_a_malformed_record_is_one_clear_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ResultError, match=r"run\.json: expected the record of a run") as caught:
        read_record(path)
    assert "--name" in str(caught.value)


def test_a_missing_file_has_no_record(tmp_path: Path) -> None:
    assert read_record(tmp_path / "run.json") is None
