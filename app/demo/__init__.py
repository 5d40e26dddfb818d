"""An invented area to try everything on: its data, its bank, its card company.

Stands on top of every room and is imported by none; production never loads it.
"""
