"""Commands of billing: a run, and one child's bill from scratch."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click
from flask.cli import AppGroup

from app import audit
from app.core import clock, scope
from app.core.db import row, transaction
from app.core.errors import DomainError
from app.core.formats import number, signed
from app.core.money import Vnd, total_of
from app.core.period import Period
from app.core.text import fold
from app.money.billing import lapsing, queries, services
from app.money.billing.preview import Preview, preview
from app.money.billing.routes import default_due
from app.money.billing.sentences import sentence
from app.people.schools import SchoolInfo, find_school

cli = AppGroup("billing", help="Runs and bills.")

OPERATOR = audit.Actor("flask billing", "operator")


def _period(text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from wrong


def _school(code: str) -> SchoolInfo:
    with scope.opened(scope.EVERY_SCHOOL):
        school = find_school(code, clock.today())
    if school is None:
        raise click.BadParameter(f"no school with code {code}")
    return school


@cli.command("run")
@click.option("--school", "code", required=True, help="Our code of the school.")
@click.option("--period", "month", required=True, help="The month, YYYY-MM.")
@click.option("--issue", is_flag=True, help="Issue the bills; without it only the preview.")
def run(code: str, month: str, issue: bool) -> None:
    """Draft the month's run if there is none; print what it would change, or issue it."""
    school, period = _school(code), _period(month)
    try:
        with scope.opened(scope.one_school(school.id)):
            run_id = _draft(school.id, period, refresh_due=issue)
            if not issue:
                _print_preview(preview(school.id, period))
                return
            with transaction():
                issued = services.issue_run(school.id, run_id, actor=OPERATOR, now=clock.now())
    except DomainError as refusal:
        click.echo(f"{refusal.code}: {refusal.message}", err=True)
        sys.exit(1)
    click.echo(
        json.dumps(
            {
                "school": school.code,
                "period": str(period),
                "run": issued.run_id,
                "invoices": issued.invoices,
                "lines": issued.lines,
                "total": issued.total.dong,
                "credit_applied": issued.credit_applied.dong,
            }
        )
    )


def _draft(school_id: int, period: Period, *, refresh_due: bool) -> int:
    today = clock.today()
    waiting = next(
        (r for r in queries.list_runs(school_id) if r.billed_period == period and not r.is_issued),
        None,
    )
    if waiting is not None and not (refresh_due and waiting.due_on < today):
        return waiting.id
    with transaction():
        return services.draft_run(
            school_id,
            period,
            due_on=default_due(school_id, period, today),
            actor=OPERATOR,
            now=clock.now(),
        )


def _print_preview(found: Preview) -> None:
    period = found.period
    rows = [("child", "name", "class", str(period.previous()), str(period), "change", "causes")]
    for child in found.children:
        rows.append(
            (
                child.code,
                child.full_name,
                child.class_name,
                number(child.previous),
                number(child.current),
                signed(child.change),
                "; ".join(sentence(cause, child, period) for cause in child.causes),
            )
        )
    for missing in found.blocked:
        rows.append((missing.code, missing.full_name, "-", "-", "-", "-", "no class: no bill"))
    rows.append(
        (
            "total",
            f"{found.count} bills",
            "",
            number(found.previous_total),
            number(found.current_total),
            signed(found.current_total - found.previous_total),
            "",
        )
    )
    _print_table(rows)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    for line in rows:
        cells = [
            cell.rjust(width) if 3 <= column <= 5 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


@cli.command("lapse")
@click.option("--school", "code", required=True, help="Our code of the school.")
def lapse(code: str) -> None:
    """Take back voluntary lines nobody paid by their last day; the worker does it by itself."""
    school = _school(code)
    try:
        with scope.opened(scope.one_school(school.id)), transaction():
            done = lapsing.lapse(school.id, actor=OPERATOR, now=clock.now())
    except DomainError as refusal:
        click.echo(f"{refusal.code}: {refusal.message}", err=True)
        sys.exit(1)
    click.echo(
        json.dumps(
            {
                "school": school.code,
                "notes": done.notes,
                "lines": done.lines,
                "amount": done.amount.dong,
            }
        )
    )


@cli.command("rules")
@click.option("--school", "code", required=True, help="Our code of the school.")
@click.option("--student", required=True, help="The child's nine-digit code.")
@click.option("--period", "month", required=True, help="The month, YYYY-MM.")
def rules(code: str, student: str, month: str) -> None:
    """One child's bill from scratch by the rules, with the reason of each line; writes nothing."""
    school, period = _school(code), _period(month)
    digits = fold(student).replace("-", "").replace(" ", "")
    with scope.opened(scope.one_school(school.id)):
        stay = row(
            "select e.id from enrolments e join students s on s.id = e.student_id"
            " where e.school_id = :school_id and s.code = :code and e.starts_on <= :last"
            " and (e.ends_on is null or e.ends_on > :first) order by e.starts_on desc limit 1",
            school_id=school.id,
            code=digits,
            first=period.first_day,
            last=period.last_day,
        )
        found = queries.bill_by_rules(school.id, stay.id, period) if stay else []
    lines = [_line(line) for line in found]
    total = total_of([Vnd(int(line.gross) - int(line.reduction)) for line in found])
    click.echo(
        json.dumps(
            {
                "school": school.code,
                "student": digits,
                "period": str(period),
                "lines": lines,
                "total": total.dong,
            },
            ensure_ascii=False,
        )
    )


def _line(line: queries.Record) -> dict[str, object]:
    return {
        "item": line.item_code,
        "name": line.item,
        "category": line.category,
        "unit": line.unit,
        "quantity": int(line.quantity),
        "price": int(line.price),
        "gross": int(line.gross),
        "percent": int(line.percent),
        "reduction": int(line.reduction),
        "amount": int(line.gross) - int(line.reduction),
        "reason": _reason(line),
    }


def _reason(line: queries.Record) -> str:
    charged = "every child" if line.is_compulsory else "the family's choice"
    text = f"{charged}; price for {line.audience} by schedule {line.schedule_id}; {line.legal_act}"
    if line.percent:
        text += f"; {line.percent}% off by {line.policy}, the largest of its exemptions"
    return text
