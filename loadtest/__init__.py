"""Synthetic participants that join a running server to measure what it can hold."""
