"""The parents' side: the pay page by link, and whether an account is really the school's.

Refuses to change money: it shows what the books say, opens a provider's page, and takes down what a
family says of its child: absences, contested days, yeses to optional items.
"""

from __future__ import annotations
