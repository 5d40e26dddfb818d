"""What a principal and the area read: collection by class and item, the schools side by side.

Writes nothing and is imported by nobody. Every figure is a sum of bills and entries at one moment.
"""
