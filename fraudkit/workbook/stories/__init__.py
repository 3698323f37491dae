"""Stories for the behavioural rounds: written as Markdown, checked by counting, mapped to what will be asked."""
