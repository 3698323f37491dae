"""What a fraud campaign is: its declaration, its drift, and one wave of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fraudkit.simulate.categories import category_indices
from fraudkit.simulate.rows import Rows
from fraudkit.simulate.scene import Scene

DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True)
class Network:
    """Where a campaign's online purchases seem to come from; the shares sum to 1.

    `proxy`: a hijacked home line near the victim; `carrier`: the mobile network of the victim's country,
    shared with honest phones; `vpn`: the exits that honest users take too; `hosting`: rented servers.
    """

    proxy: float
    carrier: float
    vpn: float
    hosting: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How a campaign changes from month to month.

    `amount` is the monthly change of the log amount, `hour` of the local hour. `categories` and
    `countries` are phases: the campaign moves to the next one every `phase_months`, round and round.
    """

    amount: float
    hour: float
    categories: tuple[tuple[str, ...], ...]
    countries: tuple[tuple[str, ...], ...] = ()
    phase_months: int = 2


@dataclass(frozen=True, slots=True)
class Campaign:
    """One kind of fraud, as declared in the catalogue.

    Attributes
    ----------
    name, summary : what it is called, and what it does in a sentence
    share : its share of all fraudulent rows
    rows_per_victim, gap_h : mean rows on a victim's account, mean hours between them
    amount : added to the log of a category's usual amount
    hour : local hour around which a victim's first row falls; `hour_spread` its standard deviation
    reused_device : chance that the crew uses one of its few devices and not a fresh one
    stealth : factor on WorldConfig.stealth
    adapts : whether its crews react to the control's declines
    """

    name: str
    summary: str
    share: float
    rows_per_victim: float
    gap_h: float
    amount: float
    hour: float
    hour_spread: float
    network: Network
    drift: Drift
    act: Callable[[Wave], Rows]
    reused_device: float = 0.3
    stealth: float = 1.0
    adapts: bool = False


@dataclass(slots=True)
class Tactics:
    """What a crew has learnt: factors on amounts and on the time between rows, and when it last moved on."""

    amount: float = 1.0
    pace: float = 1.0
    moves: int = 0


@dataclass(slots=True)
class Crew:
    """The people behind several waves: their devices, servers, tactics and, for mules, their accounts."""

    campaign_id: int
    devices: np.ndarray
    hosting: np.ndarray
    members: np.ndarray
    tactics: Tactics = field(default_factory=Tactics)


@dataclass(frozen=True, slots=True)
class Stage:
    """What fraudsters can see: the scene and what card holders did.

    `honest` is sorted by user and time; `first` (n_users + 1,) is where each user's rows begin, and
    `key` orders all rows by user, then time. `web` are positions of online rows in order of time,
    `web_ms` their times.
    """

    scene: Scene
    honest: Rows
    first: np.ndarray
    key: np.ndarray
    web: np.ndarray
    web_ms: np.ndarray

    def own_rows(self, user: np.ndarray, event_ms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """For each user one random honest row before the moment (any, where there is none before)."""
        start = self.first[user]
        before = np.searchsorted(self.key, row_key(user, event_ms, self.scene.world_ms))
        end = np.where(before > start, before, self.first[user + 1])
        return start + (rng.random(len(user)) * (end - start)).astype(np.int64)

    def online_between(self, start_ms: float, end_ms: float) -> np.ndarray:
        """Positions of the honest online rows in [start_ms, end_ms)."""
        low, high = np.searchsorted(self.web_ms, [start_ms, end_ms])
        return self.web[low:high]

    def eligible(self, before_ms: int) -> np.ndarray:
        """Users with at least one honest row, whose account was open by then."""
        return np.flatnonzero((np.diff(self.first) > 0) & (self.scene.people.opened_ms <= before_ms))


def build_stage(scene: Scene, honest: Rows) -> Stage:
    """Index the honest rows, which are sorted by user and time, for the campaigns."""
    web = np.flatnonzero(scene.market.online[honest.merchant])
    web = web[np.argsort(honest.event_ms[web], kind="stable")]
    first = np.searchsorted(honest.user, np.arange(len(scene.people) + 1))
    return Stage(scene, honest, first, row_key(honest.user, honest.event_ms, scene.world_ms), web, honest.event_ms[web])


def row_key(user: np.ndarray, event_ms: np.ndarray, world_ms: int) -> np.ndarray:
    """Sort key of a row by user, then time, int64."""
    return user.astype(np.int64) * (2 * world_ms) + event_ms


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of a campaign: `n_rows` rows that begin within `n_days` after `start_day`."""

    campaign: Campaign
    crew: Crew
    stage: Stage
    start_day: float
    n_days: float
    n_rows: int
    rng: np.random.Generator

    @property
    def month(self) -> int:
        """Months since the world's start."""
        return int(self.start_day) // DAYS_PER_MONTH

    @property
    def phase(self) -> int:
        """How often the campaign has moved on, by its drift and by what its crew has learnt."""
        return self.month // self.campaign.drift.phase_months + self.crew.tactics.moves

    @property
    def categories(self) -> np.ndarray:
        """Category positions the wave goes for, int64."""
        phases = self.campaign.drift.categories
        return category_indices(phases[self.phase % len(phases)])

    @property
    def countries(self) -> tuple[str, ...]:
        """Country codes the wave works from, empty where the campaign does not care."""
        phases = self.campaign.drift.countries
        return phases[self.phase % len(phases)] if phases else ()

    @property
    def amount(self) -> float:
        """What the wave adds to log amounts."""
        drifted = self.campaign.amount + self.campaign.drift.amount * self.month
        return drifted + float(np.log(self.crew.tactics.amount))

    @property
    def hour(self) -> float:
        """Local hour around which the wave begins on a victim."""
        return (self.campaign.hour + self.campaign.drift.hour * self.month) % 24
