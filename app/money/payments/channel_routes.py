"""Where a school connects SePay, Casso, gateways and cards, and exchanges their secrets."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.core.forms import read_vnd
from app.money.payments.errors import PurposeUnclear
from app.money.payments.routes import bp
from app.money.payments.sentences import provider_title
from app.people.access import Permission, current_actor, own_school, requires
from app.people.schools import Provider, accounts_of, school_info
from app.people.schools import channels as ways
from app.people.schools.services import open_channel

#: what each provider gives a school, in the order of its own page; the first are needed for notices
PURPOSES: Final[dict[str, tuple[str, ...]]] = {
    "sepay": ("webhook", "api"),
    "casso": ("webhook", "api"),
    "payos": ("webhook", "access", "api"),
    "vnpay": ("webhook", "merchant"),
    "momo": ("webhook", "merchant", "access"),
    "zalopay": ("webhook", "merchant", "api"),
    "stripe": ("webhook", "api"),
}
#: without these no notice can be proved
NEEDED: Final = {
    **dict.fromkeys(PURPOSES, ("webhook",)),
    "momo": ("webhook", "access"),
}
_SCHEMES: Final = {"sepay": ("hmac", "apikey"), "casso": ("hmac", "apikey")}
#: providers whose pages open from ours may cost the payer something
_WITH_SURCHARGE: Final = frozenset({"payos", "vnpay", "momo", "zalopay", "stripe"})


def purpose_names(provider: str) -> dict[str, str]:
    """What the provider's own page calls a secret."""
    named = {
        "webhook": _("Secret of the notices"),
        "api": _("Key for asking the provider"),
        "access": _("Access key"),
        "merchant": _("Merchant code"),
    }
    own = {
        "payos": {"webhook": "Checksum Key", "access": "Client ID", "api": "API Key"},
        "vnpay": {"webhook": "vnp_HashSecret", "merchant": "vnp_TmnCode"},
        "momo": {"webhook": "Secret Key", "merchant": "Partner Code", "access": "Access Key"},
        "zalopay": {"webhook": "Key2", "merchant": "App ID", "api": "Key1"},
        "stripe": {"webhook": "Signing secret (whsec_)", "api": "Secret key (sk_)"},
    }
    return {**named, **own.get(provider, {})}


def address_of(channel: ways.ChannelDetails) -> str:
    """What is entered on the provider's own page."""
    base = str(current_app.config["SETTINGS"].public_url).rstrip("/")
    return f"{base}/callbacks/{channel.provider}/{channel.public_id}"


@bp.get("/bank/channels")
@requires(Permission.SET_CHANNELS)
def list_channels() -> ResponseReturnValue:
    """The ways in for money, what each still lacks, and a form for another."""
    return _list()


def _list(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id, now = own_school(), clock.now()
    found = [one for one in ways.list_channels(school_id) if one.provider in PURPOSES]
    page = render_template(
        "payments/list_channels.html",
        channels=[(one, ways.missing(one, NEEDED[one.provider], now)) for one in found],
        providers=[(one, provider_title(one)) for one in PURPOSES],
        accounts=[(one.id, one.number) for one in accounts_of(school_id, clock.today())],
        typed=request.form,
        provider_title=provider_title,
        purpose_names=purpose_names,
        refusal=refusal,
    )
    return page, status


@bp.post("/bank/channels")
@requires(Permission.SET_CHANNELS)
def add_channel() -> ResponseReturnValue:
    """Open a way in; its address is made here and cannot be guessed."""
    school_id, now = own_school(), clock.now()
    provider = request.form.get("provider", "")
    opened: list[int] = []

    def deed() -> None:
        accounts = {one.id for one in accounts_of(school_id, clock.today())}
        account = request.form.get("account", 0, type=int)
        if provider not in PURPOSES or account not in accounts:
            raise PurposeUnclear(_("Choose the provider and the account its money comes to."))
        scheme = request.form.get("scheme", "hmac")
        surcharge = request.form.get("surcharge", "").strip()
        permille = request.form.get("permille", "").strip() or "0"
        if not (permille.isascii() and permille.isdigit() and int(permille) <= 100):
            raise PurposeUnclear(_("The surcharge in per mille is a whole number up to 100."))
        code = school_info(school_id, clock.today()).code.lower()
        costs = provider in _WITH_SURCHARGE
        opened.append(
            open_channel(
                school_id,
                public_id=f"{provider}-{code}-{secrets.token_hex(6)}"[:40],
                provider=Provider(provider),
                scheme=scheme if scheme in _SCHEMES.get(provider, ()) else _scheme(provider),
                opened_on=clock.today(),
                bank_account_id=account,
                surcharge_dong=read_vnd(surcharge).dong if costs and surcharge else 0,
                surcharge_permille=int(permille) if costs else 0,
                actor=current_actor(),
                now=now,
            )
        )

    refused = attempt(deed, _list)
    if refused is not None:
        return refused
    return redirect(url_for(".show_channel", channel_id=opened[0]), 303)


def _scheme(provider: str) -> str:
    return "stripe" if provider == "stripe" else "hmac"


@bp.get("/bank/channels/<int:channel_id>")
@requires(Permission.SET_CHANNELS)
def show_channel(channel_id: int) -> ResponseReturnValue:
    """The address to enter at the provider, and the secrets by their last signs."""
    return _show(channel_id)


def _show(channel_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    channel = ways.get_channel(own_school(), channel_id)
    if channel.provider not in PURPOSES:
        raise ways.ChannelNotFound
    page = render_template(
        "payments/show_channel.html",
        channel=channel,
        address=address_of(channel),
        names=purpose_names(channel.provider),
        purposes=PURPOSES[channel.provider],
        lacking=ways.missing(channel, NEEDED[channel.provider], clock.now()),
        now=clock.now(),
        provider_title=provider_title,
        refusal=refusal,
    )
    return page, status


@bp.post("/bank/channels/<int:channel_id>/secrets")
@requires(Permission.SET_CHANNELS)
def add_channel_secret(channel_id: int) -> ResponseReturnValue:
    """A new secret; the old one may live on while the provider changes over."""
    school_id = own_school()

    def deed() -> None:
        channel = ways.get_channel(school_id, channel_id)
        purpose = request.form.get("purpose", "")
        if purpose not in PURPOSES.get(channel.provider, ()):
            raise PurposeUnclear(_("Choose which of the provider's secrets this is."))
        ways.add_secret(
            school_id,
            channel_id,
            purpose,
            request.form.get("secret", ""),
            overlap=timedelta(hours=min(max(request.form.get("hours", 24, type=int), 0), 168)),
            actor=current_actor(),
            now=clock.now(),
        )

    return _deed(channel_id, deed, _("Kept. It is alive from now on."))


@bp.post("/bank/channels/<int:channel_id>/secrets/<int:secret_id>/end")
@requires(Permission.SET_CHANNELS)
def end_channel_secret(channel_id: int, secret_id: int) -> ResponseReturnValue:
    """A secret that leaked, or is no longer needed."""
    return _deed(
        channel_id,
        lambda: ways.end_secret(
            own_school(), channel_id, secret_id, actor=current_actor(), now=clock.now()
        ),
        _("Ended: nothing signed with it is believed any more"),
    )


@bp.post("/bank/channels/<int:channel_id>/close")
@requires(Permission.SET_CHANNELS)
def end_channel(channel_id: int) -> ResponseReturnValue:
    """No money comes this way from tomorrow on."""
    return _deed(
        channel_id,
        lambda: ways.close_channel(
            own_school(),
            channel_id,
            clock.today() + timedelta(days=1),
            actor=current_actor(),
            now=clock.now(),
        ),
        _("Closed from tomorrow on"),
    )


def _deed(channel_id: int, deed: Any, words: str) -> ResponseReturnValue:
    refused = attempt(deed, lambda text, status: _show(channel_id, text, status))
    if refused is not None:
        return refused
    flash(words, "toast")
    return redirect(url_for(".show_channel", channel_id=channel_id), 303)
