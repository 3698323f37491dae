"""The workbook wing: what turns the system into something to learn from. It may import the system
up to evaluate; the system never imports it."""
