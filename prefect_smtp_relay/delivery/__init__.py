"""The one way from a draft to a receipt, for one mail and for many."""
