"""The network at run time against torch; training that leaks nothing."""

from __future__ import annotations

import numpy as np
import torch

from fraudkit.models.network import Network
from fraudkit.models.train_network import build_network, train_network
from fraudkit.models.transform import fit_transform_parameters


def test_forward_pass_equals_torch(rng, data):
    X, _ = data(500, 17, rng)
    X[0, :], X[1, :] = np.inf, -np.inf
    transform = fit_transform_parameters(X)
    model = build_network(17, 0.3).eval()
    state = [p.detach().numpy() for p in model.parameters()]
    weights = tuple(np.ascontiguousarray(w.T) for w in state[0::2])
    network = Network(transform, weights, tuple(state[1::2]))
    with torch.no_grad():
        expected = torch.sigmoid(model(torch.from_numpy(transform.apply(X)))).squeeze(1).numpy()
    assert np.abs(network.predict_score(X) - expected).max() < 1e-5


def test_same_seed_same_weights_and_no_global_state_moves(data, quick):
    rows = (*data(600, 9, np.random.default_rng(1)), *data(300, 9, np.random.default_rng(2)))
    transform = fit_transform_parameters(rows[0])
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    a, b = (train_network(*rows, transform, np.random.default_rng(5), quick) for _ in range(2))
    other = train_network(*rows, transform, np.random.default_rng(6), quick)
    assert all(x.tobytes() == y.tobytes() for x, y in zip(a.weights, b.weights, strict=True))
    assert a.weights[0].tobytes() != other.weights[0].tobytes()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_transform_is_fitted_on_finite_values_and_constant_columns_vanish(rng):
    X = np.column_stack([np.full(50, 3.0), rng.normal(size=50)]).astype(np.float32)
    X[0, 1] = np.nan
    transform = fit_transform_parameters(X)
    out = transform.apply(np.array([[9.0, np.nan], [np.inf, np.inf], [3.0, -np.inf]], dtype=np.float32))
    assert out[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert out[:, 1].tolist() == [0.0, transform.clip, -transform.clip]
    fitted = transform.apply(X)[1:, 1]
    assert abs(fitted.mean()) < 1e-6
    assert abs(fitted.std() - 1.0) < 1e-5
