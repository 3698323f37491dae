"""Putting the real parts together: model, feature store, decision database.

Everything that can be wrong with a set-up is found here, before the port answers.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fraudkit.core.config import Settings
from fraudkit.core.console import console
from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady, StoreUnavailable
from fraudkit.features.catalog import FEATURE_NAMES, schema_hash
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.online import OnlineFeatures, bare_vectors
from fraudkit.features.secondary import SecondaryStore
from fraudkit.features.secondary_choice import secondary_table
from fraudkit.features.store import HistoryStore
from fraudkit.models.bundle import MANIFEST, Bundle
from fraudkit.models.code_digest import code_digest
from fraudkit.registry.registry import Registry
from fraudkit.registry.request import RetrainingRequest
from fraudkit.rules.catalog import RULES
from fraudkit.rules.exploration import read_exploration
from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.serve.decide import Decider
from fraudkit.serve.decisions import Context
from fraudkit.serve.decisions.opening import open_decisions, open_progress, open_reader
from fraudkit.serve.ending import Ending
from fraudkit.serve.event_stream import open_sink
from fraudkit.serve.follower import FollowerProcess, position
from fraudkit.serve.housekeeping import Housekeeping, usual_tasks
from fraudkit.serve.intake import take_in
from fraudkit.serve.keys import KeyRing
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.parts import Parts
from fraudkit.serve.retraining import RetrainingWatch
from fraudkit.serve.scorer import Scorer
from fraudkit.serve.service import Checks
from fraudkit.serve.shadow import Shadow
from fraudkit.serve.switch import AliasWatch, ModelSwitch, is_alias

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def load_model(name: str, registry: Path) -> Bundle:
    """A bundle by its folder, its version or an alias such as production.

    Raises
    ------
    NotReady, CorruptArtefact
        There is none, or it cannot be trusted.
    """
    folder = Path(name) if (Path(name) / MANIFEST).is_file() else Registry(registry).path(name)
    bundle = Bundle.load(folder)
    if bundle.schema_hash != schema_hash():
        raise CorruptArtefact(
            f"model {bundle.version} was trained on feature schema {bundle.schema_hash[:12]}, this code computes "
            f"{schema_hash()[:12]}; run `fraudkit train`"
        )
    return bundle


@contextmanager
def open_store(settings: Settings) -> Iterator[HistoryStore]:
    """The store at REDIS_URL, or the embedded one, stopped again at the end.

    Raises
    ------
    StoreUnavailable, NotReady
        It does not answer, or there is no server for this platform.
    """
    with ExitStack() as stack:
        url = settings.redis_url
        if url is None:
            url = stack.enter_context(EmbeddedValkey(settings.run / "store")).url
        store = HistoryStore.connect(url)
        stack.callback(store.close)
        store.load_script()
        yield store


@contextmanager
def open_scorer(
    settings: Settings, model: str, log: DecisionLog, ending: Ending | None = None
) -> Iterator[tuple[Scorer, Checks]]:
    """The scorer over the real parts, warmed up, and what /ready asks; `ending` says when the service is to stop."""
    open_sink(settings.events, "redis://unused")  # a setting that cannot be is told now
    exploration = read_exploration()
    with ExitStack() as stack:
        with ThreadPoolExecutor(1) as meanwhile:  # an embedded server reads its file while the model is loaded
            opening = meanwhile.submit(stack.enter_context, open_store(settings))
            bundle = load_model(model, settings.registry)
            store = opening.result()
        policy_digest = Decider(RULES, DEFAULT_POLICY, exploration).policy_digest()
        context = Context(
            bundle.version, bundle.digest, RULES.digest(), policy_digest, bundle.schema_hash, code_digest()
        )
        decisions = open_decisions(settings)
        stack.callback(decisions.close)
        metrics = ServiceMetrics(FEATURE_NAMES)
        table = secondary_table(settings.secondary, settings.run)
        stack.callback(table.close)
        filled = store.filled()
        was_filled = filled or _is_filled(SecondaryStore(table))
        _tell_of_empty_store(settings, filled, was_filled)
        features = OnlineFeatures(store, rated_by_store=True, was_filled=was_filled, partly=True)
        metrics.gauge(
            "feature_store_filled", "1 while profiles and tiles are in the feature store", lambda: features.filled
        )
        secondary = OnlineFeatures(SecondaryStore(table), rated_by_store=True)
        scorer = Scorer(
            features, None, bundle, RULES, decisions, context, metrics, DEFAULT_POLICY, log=log, secondary=secondary,
            journal=settings.run / "decisions.journal", parts=Parts(settings.patience), durable=settings.durable,
            exploration=exploration,
        )  # fmt: skip
        if moved := scorer.journal.move(decisions):
            console.print(f"{moved:,} decisions were brought from the journal into the database", markup=False)
        warm_up(scorer, bundle)
        follower = FollowerProcess(settings.run, store.url, ending or Ending())
        stack.callback(follower.stop)
        follower.keep_running()
        reader = open_reader(settings.run, settings.database_url)
        stack.callback(reader.close)
        progress = open_progress(settings.run, settings.database_url)
        stack.callback(progress.close)
        metrics.gauge(
            "secondary_behind", "Decisions not yet in the secondary store", lambda: reader.behind(position(table))
        )
        metrics.gauge(
            "events_behind",
            "Decisions not yet published as events",
            lambda: reader.behind(progress.read().cursor),
        )
        watch = RetrainingWatch(reader, RetrainingRequest(settings.retraining), scorer.clock)
        tasks = usual_tasks(scorer) | {"follower": follower.keep_running, "retraining": watch.run}
        if is_alias(model):
            registry = Registry(settings.registry)
            tasks["model_switch"] = ModelSwitch(scorer, registry, model, _tell_of_switch).run
            stack.enter_context(Shadow(scorer, AliasWatch(registry, "candidate"), log))
        stack.enter_context(Housekeeping(tasks, log))
        yield scorer, {"feature_store": store.ping}


def _tell_of_switch(version: str) -> None:
    console.print(f"model {version} took over", markup=False)


def _is_filled(secondary: SecondaryStore) -> bool:
    """Whether the secondary store has what the first one lacks; a secondary store that is away stops no start."""
    try:
        return secondary.filled()
    except StoreUnavailable:
        return False


def _tell_of_empty_store(settings: Settings, filled: bool, was_filled: bool) -> None:
    """Say in one sentence what scoring without histories, profiles and tiles means, and what to do."""
    if filled:
        return
    if was_filled:
        console.print("the feature store is empty; it is filled again from the secondary store", style="yellow")
        return
    remedy = "`fraudkit setup`" if settings.redis_url is None else "fraudkit.features.publish.fill_store on REDIS_URL"
    console.print(
        f"warning: the feature store was never filled, so every card holder is new to it; run {remedy}",
        style="yellow",
        markup=False,
        soft_wrap=True,
    )


def warm_up(scorer: Scorer, bundle: Bundle) -> None:
    """Compile or load all compiled code, touching neither store nor database."""
    example = {
        "transaction_id": "warm-up", "user_id": "warm-up", "amount": 1.0, "merchant_id": "warm-up",
        "timestamp": "1990-01-02T00:00:00Z", "location": {"country": "US"}, "device": {},
    }  # fmt: skip
    X = bare_vectors([take_in(example, scorer.clock.now_ms()).transaction]).X
    scorer.decider.rules.evaluate(X)
    bundle.warm_up()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow happens.

    Raises
    ------
    NotReady
        The port is taken or may not be used.
    InvalidInput
        The host is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except socket.gaierror as error:
        listener.close()
        raise InvalidInput(f"host {host!r} is not an address of this machine; use 127.0.0.1") from error
    except OSError as error:
        listener.close()
        raise NotReady(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port"
        ) from error
    return listener


def check_host(host: str, api_key: str | None, ring: KeyRing) -> None:
    """Refuse to listen to other machines without a key.

    Raises
    ------
    InvalidInput
        The host is not loopback and there is no key, or FRAUDKIT_API_KEY is too short to be one.
    """
    if ring.is_open and host not in LOOPBACK:
        raise InvalidInput(
            f"host {host!r} is open to other machines; add a key first (`fraudkit keys add`, or FRAUDKIT_API_KEY), "
            "or use 127.0.0.1"
        )
    if api_key is not None and len(api_key) < 16:
        raise InvalidInput("FRAUDKIT_API_KEY has fewer than 16 characters; make one with `openssl rand -hex 16`")
