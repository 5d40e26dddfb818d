"""Both engines are really tried; a suite that quietly lost one would prove half."""

from __future__ import annotations

import psycopg

from tests.postgres import Server


def test_postgresql_runs(postgres: Server) -> None:
    url = postgres.create_database("proof").replace("+psycopg", "")
    try:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT current_setting('server_encoding')").fetchone()
    finally:
        postgres.drop_database("proof")
    assert found == ("UTF8",)
