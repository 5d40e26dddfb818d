"""Meals as a small ledger of days: calendar, register, kitchen, days cut, contested days.

Refuses to know bills: billing takes its days in through the rules of charging.
"""
