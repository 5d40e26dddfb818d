"""Days and months closed: what the books hold beside what bank, drawer and providers say.

Posts nothing. A closed day or month is figures that never change; later money stands in the day it
was posted on.
"""
