"""Card numbers sent to every place where one may turn up by accident, then looked for everywhere.

The numbers are made here, valid, and used nowhere else, so that any of them that is found came from a
request. What is searched: the log with a line for every decision, error replies, /metrics, every
file that the service wrote (decisions, journal, secondary store, the store's file), every key and
value of the store, and the events of its stream and of the archive, decoded: there the transaction is
written in base 64, and compressed.
"""

from __future__ import annotations

import io
import json
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import redis
from stdnum import luhn

from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import StreamConsumer
from fraudkit.core.decision_event import DecisionEvent, event_from_json
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.serve.decisions import DecisionStore
from fraudkit.serve.event_stream import FIELD, STREAM
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.rescore import transaction_of
from tests.serve.process import Running, body, command, environment, served
from tests.stand_ins import noise_bundle

pytestmark = pytest.mark.timeout(120)
KEY, OTHER_KEY = "0123456789abcdef" * 2, "fedcba9876543210" * 2


def card(number: int) -> str:
    """A valid card number of sixteen digits."""
    start = f"453201{number:09d}"
    return start + luhn.calc_check_digit(start)


class Canaries:
    """Gives numbers out and remembers them."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self) -> str:
        self.given.append(card(len(self.given) + 7_000))
        return self.given[-1]

    def found_in(self, data: bytes) -> list[str]:
        """Those that occur, as sent, in groups of four, or without their check digit."""
        forms = [(c, f) for c in self.given for f in (c[:15], "-".join(c[i : i + 4] for i in range(0, 16, 4)))]
        return sorted({c for c, form in forms if form.encode() in data})


def requests(canary: Canaries) -> list[httpx.Request]:
    """Every place that a client may write to."""
    base = "http://service"

    def post(path: str, content: object, **headers: str) -> httpx.Request:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return httpx.Request("POST", base + path, content=data, headers={"content-type": "application/json", **headers})

    score, many = "/score_transaction", "/score_transactions"
    location, device = body(0)["location"], body(0)["device"]
    return [
        post(score, body(1, card_token=canary())),  # where it may stand
        *(post(score, body(2, **{field: canary()})) for field in ("transaction_id", "user_id", "merchant_id")),
        *(
            post(score, body(3, **{field: canary()}))
            for field in ("currency", "timestamp", "merchant_category", "amount")
        ),
        post(score, body(4, amount=int(canary()))),
        post(score, body(5, location={**location, "country": canary()})),
        post(score, body(6, location={**location, "latitude": int(canary())})),
        *(post(score, body(7, device={**device, field: canary()})) for field in device),
        post(score, {**body(8), canary(): canary()}),  # the name of an unknown field
        post(score, {**body(9), "card_number": canary()}),
        post(score, body(10, card_token=[canary()])),
        post(score, body(11, card_token=canary() * 9)),
        post(score, b'{"card_token": "' + canary().encode()),  # JSON that ends too early
        post(score, canary().encode()),
        post(score, b'{"a": 1, "a": "' + canary().encode() + b'"}'),
        post(score, body(12), **{"content-type": canary()}),
        post(score, body(13), **{"x-request-id": canary(), "user-agent": canary(), "X-API-Key": canary()}),
        post(f"{score}?card={canary()}", body(14)),
        post(many, {"transactions": [body(15, card_token=canary()), body(16, user_id=canary()), canary()]}),
        post("/feedback", {"transaction_id": canary(), "source": "chargeback", "is_fraud": True}),
        post("/feedback", {"transaction_id": "t", "source": canary(), "is_fraud": canary()}),
        post("/v1/reviews/t/decide", {"is_fraud": True, "note": f"card {canary()}"}),
        post("/v1/reviews/t/claim", {}, **{"X-Analyst": canary()}),
        post(f"/v1/reviews/{canary()}/release", {}),
        httpx.Request("GET", f"{base}/v1/reviews?user_id={canary()}&after={canary()}&{canary()}={canary()}"),
        httpx.Request("GET", f"{base}/v1/reviews/{canary()}"),
        httpx.Request("GET", f"{base}/decisions/{canary()}"),
        httpx.Request("GET", f"{base}/{canary()}/{canary()}?{canary()}={canary()}"),
        httpx.Request("DELETE", f"{base}{score}/{canary()}"),
    ]


def shown(event: DecisionEvent) -> bytes:
    """What an event says, as it can be searched."""
    return event.to_json() + event.reply + event.transaction_json


def dumped(client: redis.Redis, key: bytes) -> bytes:
    """A key and all that is kept under it."""
    if key == STREAM.encode():
        return b"".join(fields[FIELD] + shown(event_from_json(fields[FIELD])) for _, fields in client.xrange(key))
    return key + (client.dump(key) or b"") + (client.get(key) or b"")


def kept_by(running: Running) -> dict[str, bytes]:
    """Everything that a service keeps and tells, but its files; its events go to the archive in its home."""
    while "\nevents_behind 0.0" not in (metrics := running.client.get("/metrics").text):
        time.sleep(0.05)
    url = EmbeddedValkey(running.home / "run" / "store").url
    client = redis.Redis.from_url(url)
    places = {"metrics": metrics.encode(), "stream": dumped(client, STREAM.encode())}
    places["store"] = b"".join(dumped(client, key) for key in client.scan_iter())
    client.close()
    archive = Archive(running.home / "decision_log")
    consumer = StreamConsumer(url, archive)
    while consumer.step():
        pass
    consumer.close()
    return places | {"archive": b"".join(map(shown, archive.events()))}


def files_of(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_bundle().save(tmp_path_factory.mktemp("bundle") / "v0001")


@pytest.mark.parametrize("secret", [{}, {"FRAUDKIT_CARD_KEY": KEY}], ids=["without a key", "with a key"])
def test_no_card_number_is_found_anywhere(tmp_path: Path, bundle: Path, secret: dict[str, str]):
    canary = Canaries()
    replies = []
    with served(tmp_path, bundle, arguments=["--json-logs"], **secret) as running:
        for request in requests(canary):
            request.url = running.client.base_url.join(request.url.raw_path.decode())
            replies.append(running.client.send(request))
        running.client.get("/decisions/txn-1").raise_for_status()
        places = kept_by(running)
    assert {reply.status_code for reply in replies} <= {200, 400, 404, 405, 409, 415, 422}
    assert sum(reply.status_code == 200 for reply in replies) >= 4
    places |= {"replies": b"".join(reply.content + str(reply.headers).encode() for reply in replies)}
    places |= files_of(tmp_path)
    assert {"stderr.txt", "run/decisions.db", "run/secondary.db"} <= set(places)
    assert places["stderr.txt"].count(b'"event":"decision"') >= 4
    for place in ("stream", "archive"):
        assert b'"transaction_id":"txn-1"' in places[place]
    assert {name: found for name, data in places.items() if (found := canary.found_in(data))} == {}
    assert [name for name, data in places.items() if KEY.encode() in data] == []


def references_of(home: Path, bundle: Path, **secret: str) -> dict[str, str | None]:
    """Transaction id -> the reference that a service of its own process keeps with the decision."""
    home.mkdir()
    tokens = {"one": card(1), "again": card(1), "grouped": "-".join(card(1)[i : i + 4] for i in range(0, 16, 4)),
              "two": card(2), "empty": "", "none": None}  # fmt: skip
    payments = [body(0, transaction_id=name, card_token=token) for name, token in tokens.items()]
    with served(home, bundle, **secret) as running:
        running.client.post("/score_transactions", json={"transactions": payments[:3]}).raise_for_status()
        for payment in payments[3:]:
            running.client.post("/score_transaction", json=payment).raise_for_status()
    store = DecisionStore(home / "run" / "decisions.db")
    records = [store.get(name) for name in tokens]
    store.close()
    return {r.transaction_id: transaction_of(r.transaction_json).card_ref for r in records if r is not None}


def test_a_card_has_one_reference_in_every_process_with_the_key_and_another_with_another(tmp_path: Path, bundle: Path):
    (tmp_path / "key").write_text(KEY + "\n", encoding="utf-8")
    first = references_of(tmp_path / "first", bundle, FRAUDKIT_CARD_KEY=KEY)
    second = references_of(tmp_path / "second", bundle, FRAUDKIT_CARD_KEY_FILE=str(tmp_path / "key"))
    rotated = references_of(tmp_path / "rotated", bundle, FRAUDKIT_CARD_KEY=OTHER_KEY)
    assert first == second
    assert first["one"] == first["again"] == first["grouped"] != first["two"]
    assert first["empty"] is first["none"] is None
    assert None not in (first["one"], first["two"], rotated["one"])
    assert {first["one"], first["two"]}.isdisjoint(rotated.values())


def test_a_service_with_too_short_a_key_does_not_start(tmp_path: Path, bundle: Path):
    variables = environment(tmp_path, FRAUDKIT_CARD_KEY="short secret")
    whole = command("--port", "0", "--model", str(bundle))
    done = subprocess.run(whole, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "openssl rand -hex 32" in done.stderr
    assert "short secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_failure_that_quotes_a_card_number_is_masked_in_the_log():
    stream = io.StringIO()
    DecisionLog(stream).failure("trees", ValueError(f"cannot read {card(1)} here"))
    assert card(1) not in stream.getvalue()
    assert "cannot read" in stream.getvalue()
