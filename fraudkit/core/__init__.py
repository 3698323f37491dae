"""The contracts every other part shares: transaction, label, decision, money, time, settings, errors."""
