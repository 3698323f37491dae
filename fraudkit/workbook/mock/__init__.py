"""Mock interviews: four rounds as data, a state machine that keeps time, a terminal and a notebook board on it."""
