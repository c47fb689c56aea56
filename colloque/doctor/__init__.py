"""Whether this host can serve as the settings say: what is well, what is not, and what to do about it.

Each module here judges one thing: facts in, findings out, with the sentences beside. `probes` gathers the
facts and changes nothing; `plan` says what is looked at for which settings.
"""
