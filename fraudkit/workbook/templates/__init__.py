"""The project templates: Markdown forms, and what the system knows to fill them in with.

The forms in templates/ are the source. templates/filled/ is made from them, from the code and from
the published records, so that it is the same on every machine; a test says when it is stale.
"""
