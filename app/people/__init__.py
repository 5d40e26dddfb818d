"""Schools, the people who work in them, the children and their families."""
