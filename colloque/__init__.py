"""The composition root: settings, command line and the server that wires every part together."""
