"""Card numbers sent to every place where one may turn up by accident, then looked for everywhere.

The numbers are made here, valid, and used nowhere else, so that any of them that is found came from a
request. What is searched: the log with a line for every decision, error replies, /metrics, every
file that the service wrote (decisions, journal, secondary store, the store's file), and every key and
value of the store.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import pytest
import redis
from stdnum import luhn

from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.serve.logs import DecisionLog
from tests.serve.process import body, served
from tests.serve.test_switch import train

pytestmark = pytest.mark.timeout(120)


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
        httpx.Request("GET", f"{base}/decisions/{canary()}"),
        httpx.Request("GET", f"{base}/{canary()}/{canary()}?{canary()}={canary()}"),
        httpx.Request("DELETE", f"{base}{score}/{canary()}"),
    ]


def test_no_card_number_is_found_anywhere(tmp_path: Path):
    canary = Canaries()
    bundle = train(0).save(tmp_path / "bundle")
    home = tmp_path / "home"
    home.mkdir()
    replies = []
    with served(home, bundle, arguments=["--json-logs"]) as running:
        for request in requests(canary):
            request.url = running.client.base_url.join(request.url.raw_path.decode())
            replies.append(running.client.send(request))
        metrics = running.client.get("/metrics").content
        assert "\nsecondary_behind" in metrics.decode()
        client = redis.Redis.from_url(EmbeddedValkey(home / "run" / "store").url)
        held = b"".join(key + (client.dump(key) or b"") + (client.get(key) or b"") for key in client.scan_iter())
        client.close()
    assert {reply.status_code for reply in replies} <= {200, 400, 404, 405, 409, 415, 422}
    assert sum(reply.status_code == 200 for reply in replies) >= 4
    places = {"replies": b"".join(reply.content + str(reply.headers).encode() for reply in replies)}
    places |= {"metrics": metrics, "store": held}
    places |= {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert {"stderr.txt", "run/decisions.db", "run/secondary.db"} <= set(places)
    assert places["stderr.txt"].count(b'"event":"decision"') >= 4
    assert {name: found for name, data in places.items() if (found := canary.found_in(data))} == {}


def test_a_failure_that_quotes_a_card_number_is_masked_in_the_log():
    stream = io.StringIO()
    DecisionLog(stream).failure("trees", ValueError(f"cannot read {card(1)} here"))
    assert card(1) not in stream.getvalue()
    assert "cannot read" in stream.getvalue()
