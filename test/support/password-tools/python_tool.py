"""Writes or judges one stored password. Reads one JSON object from standard input."""

import json
import sys

import argon2
import passlib
import passlib.hash

request = json.load(sys.stdin.buffer)
library, scheme, settings = request["library"], request["scheme"], request["settings"]
answer = {}
if library == "passlib":
    handler = getattr(passlib.hash, scheme)
    if "text" not in request:
        answer["text"] = handler.using(**settings).hash(request["password"])
    else:
        try:
            answer["accepted"] = handler.verify(request["password"], request["text"])
        except (ValueError, TypeError) as error:
            answer = {"accepted": False, "error": str(error)}
elif "text" not in request:
    settings = {**settings, "type": argon2.Type[scheme]}
    answer["text"] = argon2.PasswordHasher(**settings).hash(request["password"])
else:
    # The type of the hash stands in its text.
    name = request["text"].split("$")[1]
    kind = {"argon2i": argon2.Type.I, "argon2d": argon2.Type.D, "argon2id": argon2.Type.ID}[name]
    text, password = request["text"].encode(), request["password"].encode()
    try:
        answer["accepted"] = argon2.low_level.verify_secret(text, password, kind)
    except argon2.exceptions.VerifyMismatchError:
        answer["accepted"] = False
    except argon2.exceptions.Argon2Error as error:
        answer = {"accepted": False, "error": str(error)}
answer["version"] = {"passlib": passlib.__version__, "argon2-cffi": argon2.__version__}[library]
json.dump(answer, sys.stdout)
