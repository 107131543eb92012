"""Decoding where nothing can be lost: each picture in a process of its own, which ends with it.

An image decoder is large C code that reads hostile bytes. So it runs where there is no key, no
database, no network, no file and no environment. Three processes take part:

- the *worker* answers people's requests, and asks for pictures (asking.py);
- its *starter* is a clean interpreter that has loaded the decoders and sees no picture. It makes
  a decoder for each, and kills it once nobody waits for it any more (starter.py);
- a *decoder* gives up what it may (confining.py), reads one file, answers, and ends (decoder.py).
"""
