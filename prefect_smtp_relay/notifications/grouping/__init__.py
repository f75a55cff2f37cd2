"""Floods become one: the first failure of a kind is mailed at once, further ones are counted."""
