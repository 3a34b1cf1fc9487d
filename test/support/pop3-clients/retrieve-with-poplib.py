"""Retrieves a maildrop with Python's poplib and writes message N into the file N of a folder."""

import os
import poplib
import ssl
import sys

port, channel, login, user, password, ca, inbox, removal = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
poplib._MAXLINE = 1 << 20  # By default a line has at most 2,048 octets.

if channel == "implicit TLS":
    pop = poplib.POP3_SSL("localhost", int(port), timeout=60, context=context)
else:
    pop = poplib.POP3("localhost", int(port), timeout=60)
if channel == "STLS":
    pop.stls(context=context)
if login == "APOP":
    pop.apop(user, password)
else:
    pop.user(user)
    pop.pass_(password)

count, octets = pop.stat()
sizes = {int(n): int(size) for n, size in (line.split() for line in pop.list()[1])}
uidls = dict(line.decode().split() for line in pop.uidl()[1])
assert len(sizes) == len(uidls) == len(set(uidls.values())) == count, (sizes, uidls)
assert sum(sizes.values()) == octets, (sizes, octets)
for n in range(1, count + 1):
    message = b"".join(line + b"\r\n" for line in pop.retr(n)[1])
    assert len(message) == sizes[n], (n, len(message), sizes[n])
    with open(os.path.join(inbox, str(n)), "wb") as file:
        file.write(message)
    if removal == "remove":
        pop.dele(n)
pop.quit()
