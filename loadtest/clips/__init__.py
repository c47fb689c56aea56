"""Clips: pictures that a real encoder made once, cut into payloads, for synthetic cameras to send.

`packets` and `layered` cut, `film` encodes (the one module that needs av), `store` keeps what was made.
"""
