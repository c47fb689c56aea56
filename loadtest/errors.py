"""Why a load test cannot be done, in words for the person who started it."""


class ScenarioError(Exception):
    """The scenario cannot be used; one line for each thing that is wrong, with its place."""

    def __init__(self, problems: list[str]) -> None:
        """Take the lines."""
        super().__init__("\n".join(problems))
        self.problems = problems


class RunError(Exception):
    """The run could not be done or begun; the text is one line that says why."""
