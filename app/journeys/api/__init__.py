"""The door for banks and wallets: what is payable, a payment told, one taken back, a day's list.

Every request is signed with a partner's own key; an answer names school, initials and a masked
name, and nothing else of a person.
"""
