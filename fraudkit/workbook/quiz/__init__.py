"""The theory questions: a bank as data, how a question is shown and judged, when it comes back."""
