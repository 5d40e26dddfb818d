"""The one blueprint of the pupils' pages; its views stand in the files named `routes…`."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("students", __name__)
