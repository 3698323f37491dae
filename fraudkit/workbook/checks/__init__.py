"""One file an exercise: its cases, its oracle, its wrong answers by name. No learner's process may read this folder."""
