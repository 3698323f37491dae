"""Models: training, artefacts without code, and a runtime that needs numpy, numba and safetensors only."""
