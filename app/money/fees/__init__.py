"""What should be charged: catalogue, caps, schedules, choices, exemptions, and the rules.

Refuses to know bills; billing asks it for the rules.
"""
