"""A few participants of a load test that really encode and decode, in a process of their own.

The first shows a camera whose pictures carry their number and time, the others look at it. They are made of
aiortc and av, an optional part of the package, which only the process itself imports (`__main__.py`).
"""
