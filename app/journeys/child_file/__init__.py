"""The child's file: everything kept of one child over all its years, on one page and one paper."""
