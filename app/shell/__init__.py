"""The frame round all rooms: front door, home page, navigation, error page, health, verify.

Knows every room; no room knows it.
"""
