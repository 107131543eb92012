"""People's keys: certified, compared, remembered, verified.

- certificates.py: whether a public key is a person's; nothing is wrapped to any other
- certified.py, names.py: which certificate is the newest, and what people are called in it
- recipients.py: from a typed name to a verified key, when something is shared
- identities.py, pins.py: whether it is the key that the sharer compared
- content_keys.py, mac_keys.py: wrapping content keys for people, and opening their MAC keys
- keysets.py, keyset_trail.py, remembered.py: what the trail remembers of key rows and of thefts
- orders.py, recoverability.py, timeline.py: key orders, ways back, what happened to your keys
- verification.py: the sweep of `verify_keys`; no request comes this way
"""
