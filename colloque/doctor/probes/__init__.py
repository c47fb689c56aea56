"""Gathers facts about this host and its database. Nothing is changed, and no third party is asked."""
