"""The short form of `python -m tests.chaos.fuzz`: requests generated from the schema, none answered wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import fuzz
from tests.serve.process import served
from tests.stand_ins import noise_bundle

REQUESTS = 500


def test_generated_requests_are_answered_as_the_schema_says(tmp_path: Path):
    bundle = noise_bundle().save(tmp_path / "v0001")
    found = fuzz.Found()
    with served(tmp_path, bundle, FRAUDKIT_CARD_KEY="k" * 32) as running:
        url = str(running.client.base_url)
        fuzz.send(url, REQUESTS, 7, found)
        assert fuzz.alive(url)
    assert found.failures == []
    assert found.requests > REQUESTS / 2
    assert found.statuses[200] > 20, "too few got through to be scored"
    assert found.statuses[422] > 20, "too few were wrong"
    assert "Traceback" not in (tmp_path / "stderr.txt").read_text()


def test_a_reply_that_the_schema_does_not_know_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Planted: the schema promises a field that no reply has."""
    bundle = noise_bundle().save(tmp_path / "v0001")

    def promising(url: str) -> object:
        import httpx

        document = httpx.get(url).json()
        document["components"]["schemas"]["ScoreReply"]["required"].append("moon_phase")
        return fuzz.schemathesis.openapi.from_dict(document)

    monkeypatch.setattr(fuzz.schemathesis.openapi, "from_url", promising)
    found = fuzz.Found()
    with served(tmp_path, bundle) as running:
        fuzz.send(str(running.client.base_url), 60, 7, found)
    assert any("moon_phase" in failure for failure in found.failures)
