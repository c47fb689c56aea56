"""Who gets what: pure functions of values."""
