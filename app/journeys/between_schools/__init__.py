"""Money that came to the wrong school of the area: offered, accepted, and really transferred (M13).

Nothing moves between schools by bookkeeping: each books its own side, and the child's bill is paid
when the other school's transfer arrives on the right account, by the same door as any other.
"""
