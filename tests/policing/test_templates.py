"""Pages escape what people typed, and live under a content policy without inline code."""

from __future__ import annotations

import ast
import re

from tests.policing.source import MODULES, PAGES, ROOT, TEMPLATES, dotted

#: file → why its text is safe as it stands
SAFE_FILTER: dict[str, str] = {
    "templates/_components/icon.html": "drawings written out in the same file",
    "templates/shell/components.html": "samples written out in the same file",
}
#: module → why it may build markup
MARKUP: dict[str, str] = {
    "app/core/qr.py": "draws an SVG from a matrix of bits",
    "app/core/stamp/data.py": "escapes a datum of a paper into its element",
    "app/money/payments/sentences.py": "escapes every part and marks the code that was read",
}
#: never sent to a browser
PAPERS = TEMPLATES / "pdf"


def test_the_safe_filter_is_used_only_where_listed() -> None:
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        uses = re.findall(r"\|\s*safe\b|autoescape\s+false", page.read_text(encoding="utf-8"))
        assert not uses or name in SAFE_FILTER, name


def test_markup_is_built_only_where_listed() -> None:
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "Markup":
                assert str(module.path.relative_to(ROOT)) in MARKUP, module.where(node)


def test_no_inline_script_style_or_handler() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", re.I)
    broken = []
    for page in PAGES:
        if page.is_relative_to(PAPERS):
            continue
        text = re.sub(r"\{#.*?#\}", "", page.read_text(encoding="utf-8"), flags=re.S)
        broken += [f"{page.relative_to(ROOT)}: {hit.group()!r}" for hit in inline.finditer(text)]
    assert broken == []


def test_forms_that_post_carry_the_token() -> None:
    form = re.compile(r"<form\b[^>]*method=[\"']post[\"'].*?</form>", re.I | re.S)
    for page in PAGES:
        for hit in form.finditer(page.read_text(encoding="utf-8")):
            body = hit.group()
            assert re.search(r"csrf|hidden_tag|form_token", body), (
                f"{page.relative_to(ROOT)}: {body[:80]!r}"
            )
