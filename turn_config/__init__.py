"""Generators for TURN and STUN set-up: credentials, ICE server lists and the firewall sheet."""
