"""What must hold of applications."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "A1",
        "another person decides than received or checked, and a grant has its exemption",
        "select a.id as application from exemption_applications a"
        " join exemption_application_steps d on d.school_id = a.school_id"
        "  and d.application_id = a.id and d.state in ('granted', 'refused')"
        " where (d.state = 'granted' and a.exemption_id is null)"
        " or exists (select 1 from exemption_application_steps c"
        "  where c.school_id = a.school_id and c.application_id = a.id"
        "  and c.state in ('received', 'checked')"
        "  and (c.actor = d.actor or c.actor_id = d.actor_id))",
    ),
    query(
        "A2",
        "an application begins with its receipt and is decided once",
        "select a.id as application from exemption_applications a where"
        " (select count(*) from exemption_application_steps s where s.school_id = a.school_id"
        "  and s.application_id = a.id and s.state = 'received') <> 1"
        " or (select count(*) from exemption_application_steps s where s.school_id = a.school_id"
        "  and s.application_id = a.id and s.state in ('granted', 'refused', 'withdrawn')) > 1"
        " or (a.exemption_id is not null and not exists (select 1"
        "  from exemption_application_steps s where s.school_id = a.school_id"
        "  and s.application_id = a.id and s.state = 'granted'))",
    ),
    query(
        "A3",
        "what an application gave is for its own child, ground and months",
        "select a.id as application from exemption_applications a join exemptions x"
        " on x.school_id = a.school_id and x.id = a.exemption_id"
        " where x.enrolment_id <> a.enrolment_id or x.policy_id <> a.policy_id"
        " or x.first_period <> a.first_period or a.due_on < a.received_on",
    ),
]
