"""From a decision to the JSON that is sent, stored and sent again to whoever repeats the request."""

from __future__ import annotations

import math
from typing import Any

import orjson

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.decision import Contribution, Decision, RuleHit
from fraudkit.serve.decisions import Context, Word

SHORT = 12  # characters of a digest in a reply; the database keeps all of them

_DEGRADED_WORDS = {
    "feature_store": "the feature store did not answer, so the history is unknown",
    "secondary_store": "nor did the secondary store",
    "ip_reputation": "the address could not be rated",
    "trees": "the trees could not score",
    "network": "the network could not score",
    "transaction_model": "the model for payments without a history could not score",
    "explanation": "the explanation could not be made",
    "database": "the decision is kept in the journal until the database is back",
}


def reply_json(decision: Decision, decisive: RuleHit | None, context: Context, latency_ms: float) -> bytes:
    """The reply of one decision, as fraudkit.serve.contracts.ScoreReply declares it.

    `decisive` is the rule that decided by itself, if one did.
    """
    drawn = {"explored": decision.explored, "propensity": decision.propensity} if decision.propensity != 1.0 else {}
    return orjson.dumps(
        {
            "transaction_id": decision.transaction_id,
            "decision": decision.action.value,
            "fraud_score": decision.fraud_score,
            "fraud_probability": decision.fraud_probability,
            "explanation": [_driver(share) for share in decision.explanation],
            "reason": reason(decision, decisive),
            "rules": [_rule(hit) for hit in decision.rules],
            "degraded": decision.degraded,
            "new_customer": decision.is_new,
            **drawn,
            "model_version": context.model_version,
            "policy_digest": context.policy_digest[:SHORT],
            "rules_digest": context.rules_digest[:SHORT],
            "latency_ms": round(latency_ms, 3),
        }
    )


def word_json(word: Word) -> dict[str, Any]:
    """A kept word of feedback, as fraudkit.serve.contracts.FeedbackWord declares it."""
    return {
        "source": word.source,
        "is_fraud": word.is_fraud,
        "received_at": from_epoch_ms(word.received_at_ms).isoformat(),
        "known_at": from_epoch_ms(word.known_at_ms).isoformat(),
        "author": word.author,
        "note": word.note,
    }


def reason(decision: Decision, decisive: RuleHit | None) -> str | None:
    """Why, in words: the reason of the rule that decided, else the parts that were missing."""
    if decision.explored:
        why = "its score" if decisive is None else decisive.reason
        return f"Let pass by a draw, to learn what such payments are; else declined: {why}"
    if decisive is not None:
        return decisive.reason
    if decision.degraded:
        words = "; ".join(_DEGRADED_WORDS.get(part, f"{part} did not take part") for part in decision.degraded)
        return words[0].upper() + words[1:]
    return None


def _rule(hit: RuleHit) -> dict[str, Any]:
    return {"rule_id": hit.rule_id, "reason": hit.reason, "confidence": hit.confidence}


def _driver(share: Contribution) -> dict[str, Any]:
    value = None if math.isnan(share.value) else share.value
    return {"feature": share.feature, "value": value, "log_odds": share.log_odds, "words": share.words}
