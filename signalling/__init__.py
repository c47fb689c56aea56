"""Signalling protocols that clients speak to join a call and to change what they send and receive."""
