"""What make calls: set-up, the supervisor of `make run`, checks. No business words in here."""
