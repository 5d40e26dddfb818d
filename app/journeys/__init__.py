"""Screens and stories that touch several rooms below; nobody imports them."""
