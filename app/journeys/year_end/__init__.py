"""Turning the school year: rehearsal, one act per school and its undo, hand-over between schools.

Reads people and money, writes stays and classes through people, and moves no money: what is owed
or held stays with the school that billed it.
"""
