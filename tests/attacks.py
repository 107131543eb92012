"""Attacks that worked on earlier systems of this kind, and what must come of each here.

A test that tries one says so: `@pytest.mark.attack("B3")`. tests/test_attacks.py keeps
this list and the tests together. Rows that cannot be tried say why.
"""

MUST: dict[str, str] = {
    # Confidentiality, and keys at rest
    "A1": "a search of everything at rest finds no piece of a picture",
    "A2": "no key and no password is at rest, and files are private to their owner",
    "A3": "no key, password or cookie is in what a server prints or logs",
    "A4": "what is under version control holds no key, database or log",
    "A5": "no two people have a key in common",
    "A6": "disk and database together open nobody's image, and staff open none",
    "A7": "the same picture twice shares no byte at rest",
    "A8": "keys and initial vectors come from the system's generator and never repeat",
    "A9": "keys are wrapped with OAEP and SHA-256; any other padding is refused",
    "A10": "password hashes are memory-hard, salted and never leave",
    # Integrity and origin
    "B1": "a flipped bit anywhere in what is stored releases nothing",
    "B2": "bytes cut off, added or exchanged release nothing",
    "B3": "another initial vector releases nothing",
    "B4": "nobody puts their own signature on another's image",
    "B5": "what was made for one image, lock, rendition or person serves no other",
    "B6": "a changed owner, recipient, right or end in a row is seen",
    "B7": "names are never identities or paths: nothing is overwritten or taken over by a name",
    "B8": "every length and ending comes back byte for byte",
    "B9": "a key put in another's place is refused at sharing and at opening",
    "B10": "a certificate or signature that does not verify stops the opening",
    "B11": "what a client says of digests and owners counts for nothing",
    "B12": "whatever was altered, the answer is one and the same",
    "B13": "a key certified by another installation is nobody's",
    # Identity, sessions, access
    "C1": "a cookie signed with a well-known secret is nobody's",
    "C2": "a cookie is dead after signing out, a new password or its time",
    "C3": "a cookie that was never given, or was somebody else's, opens nothing",
    "C4": "who somebody is comes from the session, never from a field",
    "C6": "a name is given once, however often and at once it is asked for",
    "C7": "malformed, reserved, look-alike and invisible names are refused",
    "C8": "guessing is held, from one place and from many",
    "C9": "absent and not yours, unknown and wrong, read the same",
    "C10": "who was granted nothing gets neither bytes nor facts",
    "C11": "a recipient is one exact name; oneself and repeats change nothing",
    "C12": "after revoking, neither session nor old keys nor restored rows open anything",
    # Replay and notices
    "D1": "what is sent again is done once",
    "D2": "a notice's check value serves no other notice",
    "D3": "an older state put back is seen or gives nothing back",
    "D4": "forged, altered, moved or missing notices are said to be so",
    "D5": "exactly the recipients are told",
    "D6": "who was away is told at the next look, once",
    "D8": "notices carry an HMAC, and it is checked",
    # Injection, files, robustness
    "E1": "a hostile file name is shown at most, and is no path",
    "E3": "a user name is no path",
    "E4": "an error of ours shows neither code nor path nor query",
    "E5": "nothing is unpickled, and what we read is a strict format",
    "E6": "one bad file or request spoils nothing for others",
    "E7": "sizes are exact: the limit passes, one more is refused before it is held",
    "E8": "what is no picture is refused by its content, and bytes opened alone run nothing",
    "E9": "every change needs the token and a post",
    "E10": "every answer carries its headers, every cookie its flags",
    "E11": "names and captions are shown as text, on every page",
    "E12": "many at once each get exactly theirs",
    "E13": "a server that was killed comes back with everything acknowledged",
    "E14": "no secret is in an address or a log",
    "E15": "the pages themselves, in a browser, do what they are for",
    "E16": "it starts from any folder",
    # Found by hostile reviews of this very house
    "F20": "first keys are certified only where the unbroken trail says that they are due",
    "F21": "an operator's code for first keys serves one person, once, for a week",
    "F22": "staff rights written into a row open nothing, and are shown at once",
    "F23": "groups and permissions of Django's give nothing",
    "F24": "rows written by somebody else earn nobody a certified key in another's place",
    "F25": "what is in the table of sessions is no cookie, and serves in no other row",
    "F26": "a damaged wrapped key is mended while its quick key opens, or shown",
    "F27": "a reader's own key that nobody certified opens nothing",
    "F28": "every MUST of the format is kept by a test that is named for it",
}

CANNOT_BE_TRIED: dict[str, str] = {
    "C5": "a connection carries no identity here; each request proves its own (C3)",
    "E2": "there is no reloading server: gunicorn alone, with DEBUG off",
    "D7": "nothing is downloaded by itself, with or without a notice",
}
