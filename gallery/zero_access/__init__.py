"""A search for ways in: everything at rest is collected and tried on everything that is locked.

What is looked through (places.py): every column of every table of both databases, the files of
the data folder, SQLite's wherever they lie with what it deleted and its log, how the stored images
begin and whatever lies among them, environment, settings and key file. Of SQLite's raw bytes also
the columns as long as a key of whole rows that no table has any more (cells.py). What is made of it
(strings.py): each string raw, its words, and what they decode to from hex, base64 and zlib, again
and again. What is tried (openers.py): every string of 32 bytes as every key there is, texts as
passwords and recovery codes, whatever is opened once more, until nothing new is opened (search.py).

Nothing of accounts/custody.py is used: a mistake there must not blind the search. The formats are
those of docs/format.md, over cryptocore.

What it does not try, and says so in the command's help: every text as a password (Argon2 is slow on
purpose), every 32 bytes at each offset of a binary file (nor of SQLite's, where no whole row is
left), and for large installations every person. It looks at what is at rest, not at the memory of
the running server.
"""
