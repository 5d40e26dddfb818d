"""Foundations without a business word: money type, clock, database, scope, errors, text, jobs."""
