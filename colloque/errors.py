"""Why the server cannot start or a command cannot be done, in one line."""


class StartError(Exception):
    """Something that the operator can put right; the text names the setting and what is wrong."""


class UseError(Exception):
    """A command was called with what it does not take; the text names the option and what it takes."""
