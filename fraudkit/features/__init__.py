"""The 143 features: declared once, computed by one kernel, offline and online alike."""
