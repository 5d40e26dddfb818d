"""What is kept until when and under which law, and the children made anonymous after it.

Orchestrates only: each room forgets what is its own. Money, receipts and their hashes stay as they
are, for they are accounting documents. Refuses to forget a child anything is still open for.
"""
