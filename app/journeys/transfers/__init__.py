"""A child changes school: asked for at the new school, handed over by the old one.

No money goes with the child (M13): what is open or left over stays at the old school, is shown to
that school and to the family, and is settled there.
"""
