"""The WSGI object: `gunicorn wsgi:app`, `flask --app wsgi`."""

from __future__ import annotations

from app import create_app
from app.core.memory import settle

app = create_app()
settle()
