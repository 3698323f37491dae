"""`fraudkit simulate` writes a lake and says what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fraudkit.core.errors import InvalidInput
from fraudkit.lake import Lake
from fraudkit.simulate import World
from fraudkit.simulate.campaigns.catalog import CAMPAIGNS
from fraudkit.simulate.commands import simulate_command, summarise

app = typer.Typer()
app.command()(simulate_command)


def test_it_writes_a_lake_and_prints_its_summary(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["small", "--users", "25", "--out", str(tmp_path / "w"), "--json"])
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["transactions"] == len(Lake.open(tmp_path / "w").transactions())
    assert set(summary["campaigns"]) == {campaign.name for campaign in CAMPAIGNS}


def test_a_world_is_replaced_only_when_asked_and_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["small", "--users", "25", "--out", str(tmp_path / "w")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    first = Lake.open(tmp_path / "w").users()
    with monkeypatch.context() as patch:
        patch.setattr("fraudkit.simulate.commands.simulate", lambda *_: pytest.fail("simulated in vain"))
        result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InvalidInput)
    assert "--force" in str(result.exception)
    assert CliRunner().invoke(app, [*arguments, "--seed", "8", "--force"]).exit_code == 0
    assert not Lake.open(tmp_path / "w").users().equals(first)


@pytest.mark.parametrize(("arguments", "message"), [(["large"], "large"), (["small", "--users", "3"], "users=3")])
def test_a_wrong_argument_is_named(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InvalidInput)
    assert message in str(result.exception)


def test_the_summary_counts_what_is_there(world: World) -> None:
    summary = summarise(world)
    assert summary["frauds"] == int(world.truth["is_fraud"].sum())
    assert summary["fraud_rate"] == pytest.approx(0.03, rel=0.01)
