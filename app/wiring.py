"""The only list of models, blueprints and commands; the start stops at a route without a policy."""

from __future__ import annotations

from flask import Flask

import app.audit.models
import app.core.jobs
import app.core.throttle
import app.journeys.api.models
import app.journeys.between_schools.models
import app.journeys.merging.models
import app.journeys.retention.models
import app.journeys.transfers.models
import app.journeys.year_end.models
import app.money.billing.models
import app.money.closing.models
import app.money.exemptions.models
import app.money.fees.models
import app.money.ledger.models
import app.money.meals.models
import app.money.payments.models
import app.money.payouts.models
import app.money.receipts.models
import app.money.reconciliation.models
import app.people.access.models
import app.people.cards.models
import app.people.lists.models
import app.people.partners.models
import app.people.schools.models
import app.people.students.models
import app.people.verification.models  # noqa: F401 - models make the schema
from app.config import Settings
from app.journeys.api import cli as api_commands
from app.journeys.api import routes as api
from app.journeys.between_schools import routes as between_schools
from app.journeys.child_file import routes as child_file
from app.journeys.family import (  # noqa: F401 - they add their views to the blueprint
    basket_routes,
    child_routes,
)
from app.journeys.family import routes as family
from app.journeys.merging import routes as merging
from app.journeys.merging import services as merging_services
from app.journeys.reports import listing_routes  # noqa: F401 - it adds its views to the blueprint
from app.journeys.reports import routes as reports
from app.journeys.retention import queries as retention_queries
from app.journeys.retention import routes as retention
from app.journeys.retention import services as retention_services
from app.journeys.transfers import blueprint as transfers
from app.journeys.transfers import (  # noqa: F401 - both add their views to the blueprint
    departure_queries,
    departure_routes,
    departures,
    routes,
)
from app.journeys.transfers import services as transfers_services
from app.journeys.transfers.queries import open_between
from app.journeys.year_end import area_routes as year_end_of_the_area  # noqa: F401 - adds routes
from app.journeys.year_end import routes as year_end
from app.journeys.year_end.queries import ask_for_open_transfers
from app.money.billing import (  # noqa: F401 - views add themselves, the worker finds its work
    area_run_routes,
    area_runs,
    children,
    correction_routes,
    passing_routes,
)
from app.money.billing import cli as billing_commands
from app.money.billing import routes as billing
from app.money.closing import routes as closing
from app.money.exemptions import routes as exemptions
from app.money.exemptions import services as exemptions_services
from app.money.fees import (  # noqa: F401 - they add their views to the blueprint
    account_routes,
    catalogue_routes,
    consent_routes,
    day_rule_routes,
    plan_routes,
)
from app.money.fees import cli as fees_commands
from app.money.fees import routes as fees
from app.money.ledger import cli as ledger_commands
from app.money.meals import routes as meals
from app.money.meals import services as meals_services
from app.money.payments import (  # noqa: F401 - they add their views to the blueprint
    callback_routes,
    channel_routes,
    movement_routes,
    paper_routes,
    till_routes,
)
from app.money.payments import cli as payments_commands
from app.money.payments import routes as payments
from app.money.payments.movements import follow_with
from app.money.payments.reversals import refunds_set_apart_with
from app.money.payments.suspense import suggest_with
from app.money.payouts import jobs as payouts_jobs  # noqa: F401 - the worker finds its work here
from app.money.payouts import routes as payouts
from app.money.payouts.services import card_payout_of
from app.money.receipts import cli as receipts_commands
from app.money.receipts import (
    print_routes,  # noqa: F401 - it adds its views to the blueprint
    series_routes,  # noqa: F401 - it adds its views to the blueprint
)
from app.money.receipts import routes as receipts
from app.money.reconciliation import cli as reconciliation_commands
from app.money.reconciliation import jobs as reconciliation_jobs  # noqa: F401 - found by name
from app.money.reconciliation import routes as reconciliation
from app.money.reconciliation.sentences import suggested
from app.people.access import check_policies
from app.people.access import routes as access
from app.people.cards import beside as cards_beside
from app.people.cards import jobs as cards_jobs  # noqa: F401 - the worker finds the job here
from app.people.cards import routes as cards
from app.people.lists import cli as lists_commands
from app.people.lists import jobs as lists_jobs  # noqa: F401 - the worker finds its work by name
from app.people.lists import routes as lists
from app.people.partners import routes as partners
from app.people.students import cli as students_commands
from app.people.students import routes as students
from app.people.students.above import read_scans_with, show_beside
from app.people.students.money import show_money_of
from app.people.verification import cli as verification_commands
from app.people.verification import routes as verification
from app.shell import cli as shell_commands
from app.shell import routes as shell

BLUEPRINTS = (
    access.bp,
    students.bp,
    cards.bp,
    verification.bp,
    lists.bp,
    merging.bp,
    transfers.bp,
    retention.bp,
    child_file.bp,
    fees.bp,
    exemptions.bp,
    meals.bp,
    billing.bp,
    payments.bp,
    payouts.bp,
    between_schools.bp,
    closing.bp,
    reconciliation.bp,
    receipts.bp,
    family.bp,
    api.bp,
    partners.bp,
    reports.bp,
    year_end.bp,
    shell.bp,
)
COMMANDS = (
    students_commands.cli,
    verification_commands.cli,
    ledger_commands.cli,
    billing_commands.cli,
    fees_commands.cli,
    payments_commands.cli,
    receipts_commands.cli,
    reconciliation_commands.cli,
    api_commands.cli,
    *shell_commands.COMMANDS,
)


def register(flask_app: Flask, settings: Settings) -> None:
    """Attach every room to the app; the demo only where nobody's real money is."""
    for blueprint in BLUEPRINTS:
        flask_app.register_blueprint(blueprint)
    for command in COMMANDS:
        flask_app.cli.add_command(command)
    lists_commands.add_to(students_commands.cli)
    if settings.app_env != "production":
        from app.demo import cli as demo_commands
        from app.demo import routes as demo

        flask_app.register_blueprint(demo.bp)
        flask_app.cli.add_command(demo_commands.cli)
    suggest_with(suggested)
    refunds_set_apart_with(card_payout_of)
    follow_with(between_schools.mirror_of)
    # Money stands above people: their pages are told here who shows it.
    show_money_of(children)
    show_beside(cards_beside.panel)
    read_scans_with(cards_beside.code_of_scan)
    # Journeys do not know each other: the turn of a year asks through here for open transfers.
    ask_for_open_transfers(open_between)
    ask_for_open_transfers(departure_queries.open_at)
    # So does forgetting, which tells the rooms beside it whom to forget.
    retention_queries.ask_for_running_transfers(transfers_services.running_among)
    retention_queries.ask_for_running_transfers(departure_queries.leaving_among)
    retention_services.forget_also(
        merging_services.forget_children,
        transfers_services.forget_children,
        departures.forget_children,
        meals_services.forget_children,
        exemptions_services.forget_children,
    )
    check_policies(flask_app)
