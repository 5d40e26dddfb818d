"""Who may call what is said at every view."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import Rule

#: Flask's own file server; the files hold nothing private
FILES = {"static"}


def _rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in FILES]


def test_every_route_declares_its_policy(app: Flask) -> None:
    bare = [
        f"{rule.endpoint} {rule.rule}"
        for rule in _rules(app)
        if not hasattr(app.view_functions[rule.endpoint], "policy")
    ]
    assert bare == [], "decorate with requires(...) or public(reason)"


def test_addresses_are_lower_case_words_with_hyphens(app: Flask) -> None:
    for rule in _rules(app):
        words = [part for part in rule.rule.split("/") if part and "<" not in part]
        assert all(word == word.lower() and "_" not in word for word in words), rule.rule


def test_templates_stand_in_the_folder_of_their_room(app: Flask) -> None:
    for rule in _rules(app):
        blueprint = rule.endpoint.partition(".")[0]
        view = app.view_functions[rule.endpoint]
        assert view.__module__.split(".")[-2] == blueprint or "." not in rule.endpoint, (
            f"{rule.endpoint} is written in {view.__module__}"
        )
