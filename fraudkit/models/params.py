"""Training parameters: the specified ones are the defaults, the rest are choices.

**Class weight.** Every model is trained with the same fixed weight of 10 for a fraud, so that the
odds of a score are ten times the odds of fraud: a score of 0.5 stands near a probability of
1/11 = 9 %, a score of 0.9 near 9/19 = 47 %. That is what makes the published thresholds 0.9 and 0.5
usable at a fraud rate near one per cent: without a weight hardly any score passes 0.5, and
with full balancing (about 100) a probability of one per cent would be declared a coin toss. The
weight is fixed, not derived from the fraud rate, so that a threshold keeps its meaning from one
retraining to the next. Both members of the ensemble share it, so that averaging them averages like
with like. What the score means exactly is measured afterwards, by calibration.
"""

from __future__ import annotations

from dataclasses import dataclass

POSITIVE_WEIGHT = 10.0


@dataclass(frozen=True, slots=True)
class TrainingParams:
    """Everything that training can be told.

    Attributes
    ----------
    n_estimators, max_depth, learning_rate : of the boosted trees; early stopping may use fewer trees
    subsample, colsample : share of rows and of columns each tree sees
    min_child_weight : least sum of hessians in a leaf
    reg_lambda : ridge on leaf values
    stopping_rounds : trees without improvement of the later week's weighted log loss before stopping
    dropout, network_rate, weight_decay, batch_size, max_epochs, patience : of the network; `patience`
        in epochs of the same loss
    logistic_c, logistic_max_iter : inverse ridge and iterations of the logistic regression
    positive_weight : what one fraud weighs in every loss (see the module)
    tree_weight : the trees' share of the ensemble's score; the network has the rest
    n_jobs : threads. Sums depend on it in their last bits, so it is pinned and stored
    """

    n_estimators: int = 500
    max_depth: int = 7
    learning_rate: float = 0.05
    subsample: float = 0.8
    colsample: float = 0.5
    min_child_weight: float = 5.0
    reg_lambda: float = 2.0
    stopping_rounds: int = 50
    dropout: float = 0.3
    network_rate: float = 1e-3
    weight_decay: float = 1e-5
    batch_size: int = 4096
    max_epochs: int = 30
    patience: int = 4
    logistic_c: float = 0.1
    logistic_max_iter: int = 300
    positive_weight: float = POSITIVE_WEIGHT
    tree_weight: float = 0.6
    n_jobs: int = 2
