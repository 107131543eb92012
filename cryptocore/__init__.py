"""The cryptography of ImageShare: one file per primitive, and what people sign with it.

What it promises, byte by byte in docs/format.md: what a wrapped key, signature, tag or commitment
was made for is part of it (context.py), so it is refused anywhere else; everything signed has
exactly one encoding (canonical.py); every failure that an attacker can cause is the same
CryptoError, and secrets are compared in constant time; keys, IVs and salts come from the operating
system's random generator.

What it does not promise: AES-CBC alone notices no change, so stored bytes are decrypted only after
their signed length and digest hold (content.py). Nothing is erased from memory: Python cannot.
Nothing here knows who may open what, what time it is, or whether a statement is the newest of its
kind: that is up to its callers. It reads no settings, no clock and no files.
"""
