"""A FastAPI endpoint that reads the same body and does nothing: what a scoring service of this kind cannot exceed.

uvicorn benchmarks.baselines.empty_service:app
"""

from __future__ import annotations

from fastapi import FastAPI

from benchmarks.baselines.seed_request import Transaction

app = FastAPI()


@app.post("/score_transaction")
async def score_transaction(transaction: Transaction) -> dict:
    """Answer without looking at anything."""
    return {
        "transaction_id": transaction.transaction_id,
        "decision": "APPROVE",
        "fraud_score": 0.0,
        "explanation": None,
        "latency_ms": 0.0,
    }
