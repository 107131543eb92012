"""Whether everything stored of images and notices is what was signed, sealed and recorded.

Nobody's key is opened: what only a reader's password would show (a wrapped key with a flipped bit)
stays unseen, the rest is in signatures, digests and the trail. Holds no lock; a finding is checked
twice before it is reported, so it may run beside a busy server.
"""
