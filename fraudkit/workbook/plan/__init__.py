"""The twelve-week preparation plan: its items as data, what is done, how it is spread over one's own weeks."""
