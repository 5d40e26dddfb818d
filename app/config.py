"""Typed settings, read once; a wrong or unsafe setting stops the start."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
DEMO_SECRET = "demo-secret-not-for-production"  # noqa: S105 - refused in production below


class Settings(BaseSettings):
    """Environment of one process; names are those of the contract."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore")

    app_env: Literal["demo", "test", "production"] = "demo"
    instance_path: Path = ROOT / "instance"
    database_url: str = ""
    secret_key: str = DEMO_SECRET
    public_url: str = ""
    port: int = 8000
    queue_url: str = ""
    stripe_api_key: str = ""
    stripe_api_base: str = ""
    stripe_webhook_secret: str = ""
    #: addresses of gateways; one without an address is not offered to payers
    vnpay_page: str = ""
    momo_api_base: str = ""
    zalopay_api_base: str = ""
    payos_api_base: str = ""
    #: addresses that are only asked for what notices missed
    sepay_api_base: str = ""
    casso_api_base: str = ""
    vnpay_api: str = ""
    smtp_url: str = ""
    outbox_dir: Path | None = None
    clock_offset_seconds: int = 0
    allow_unsafe: str = Field(default="")

    @model_validator(mode="after")
    def _fill_and_check(self) -> Settings:
        if not self.database_url:
            self.database_url = f"sqlite:///{self.instance_path / 'sothu.db'}"
        if self.database_url.startswith(("postgres://", "postgresql://")):
            _scheme, _, rest = self.database_url.partition("://")
            self.database_url = f"postgresql+psycopg://{rest}"
        if not self.public_url:
            self.public_url = f"http://127.0.0.1:{self.port}"
        if self.app_env == "production":
            self._refuse_unsafe()
        return self

    def _refuse_unsafe(self) -> None:
        allowed = {part.strip() for part in self.allow_unsafe.split(",") if part.strip()}
        problems = []
        if self.secret_key == DEMO_SECRET or len(self.secret_key) < 32:
            problems.append("SECRET_KEY must be at least 32 characters of your own")
        if self.database_url.startswith("sqlite") and "sqlite" not in allowed:
            problems.append("DATABASE_URL must be PostgreSQL (or ALLOW_UNSAFE=sqlite)")
        if self.clock_offset_seconds:
            problems.append("CLOCK_OFFSET_SECONDS is for tests only")
        if problems:
            raise ValueError("production start refused: " + "; ".join(problems))

    @property
    def is_demo(self) -> bool:
        """Whether invented people may be shown and one-click sign-in offered."""
        return self.app_env == "demo"

    @property
    def is_public(self) -> bool:
        """Whether the outside reaches us by https, so that cookies may insist on it."""
        return self.public_url.startswith("https://")
