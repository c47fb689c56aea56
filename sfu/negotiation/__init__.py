"""Offer and answer without I/O: text to values, values to decisions, decisions to text."""
