"""The specification's network in torch."""

from __future__ import annotations

import torch


def network() -> torch.nn.Sequential:
    """143 → 256 → 128 → 64 → 1 with dropout 0.3."""
    layers: list[torch.nn.Module] = []
    for width_in, width_out in ((143, 256), (256, 128), (128, 64)):
        layers += [torch.nn.Linear(width_in, width_out), torch.nn.ReLU(), torch.nn.Dropout(0.3)]
    return torch.nn.Sequential(*layers, torch.nn.Linear(64, 1), torch.nn.Sigmoid())
