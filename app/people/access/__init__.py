"""Users, memberships, the policy table and the scope of a request.

Refuses to know money; "accounts" here would be a word of the ledger.
"""

from __future__ import annotations

from app.people.access.models import Role
from app.people.access.policy import (
    MAY_GIVE,
    ActingAs,
    Permission,
    check_policies,
    current_actor,
    current_membership,
    memberships_of,
    own_school,
    public,
    readable_schools,
    require_membership,
    requires,
    role_label,
)
from app.people.access.services import (
    add_user,
    end_membership,
    grant_membership,
    invite_user,
)

__all__ = [
    "MAY_GIVE",
    "ActingAs",
    "Permission",
    "Role",
    "add_user",
    "check_policies",
    "current_actor",
    "current_membership",
    "end_membership",
    "grant_membership",
    "invite_user",
    "memberships_of",
    "own_school",
    "public",
    "readable_schools",
    "require_membership",
    "requires",
    "role_label",
]
