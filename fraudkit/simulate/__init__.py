"""The simulator: a world of card holders, merchants and fraud whose truth is known.

>>> from fraudkit.simulate import WORLDS
>>> WORLDS["reference"].days
310
"""

from fraudkit.simulate.config import WORLDS, WorldConfig
from fraudkit.simulate.world import World, simulate

__all__ = ["WORLDS", "World", "WorldConfig", "simulate"]
