"""Clips: pictures that a real encoder made once, cut into payloads, for synthetic cameras to send.

`packets` and `layered` cut, `film` encodes, with `libvpx` for VP9 (the two that need av), `store` keeps what
was made.
"""
