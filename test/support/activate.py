"""
Binds sockets and passes them on to a command, as systemd does (sd_listen_fds(3)):

    activate.py NAME=unix:PATH NAME=tcp:HOST:PORT ... -- COMMAND ARGUMENT...

Each line on standard input ends the command by SIGTERM and starts it again, while the sockets stay
open. The end of standard input ends the command, and this program with the command's exit code. A
command that ends by itself does the same.
"""

import os
import signal
import socket
import sys


def bind(spec):
    name, _, address = spec.partition("=")
    family, _, place = address.partition(":")
    if family == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
        os.chmod(place, 0o660)
    else:
        host, _, port = place.rpartition(":")
        host = host.strip("[]")
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
    listener.listen(4096)
    return name, listener


def start(command, sockets):
    child = os.fork()
    if child != 0:
        return child
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # First out of the way of the numbers that are to be.
    high = [os.dup2(listener.fileno(), 200 + index) for index, (_, listener) in enumerate(sockets)]
    for index, descriptor in enumerate(high):
        os.dup2(descriptor, 3 + index)
        os.close(descriptor)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(sockets))
    os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in sockets)
    os.execvp(command[0], command)


def end(child):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.kill(child, signal.SIGTERM)
    return os.waitpid(child, 0)[1]


def exit_with_child(*_):
    _, status = os.waitpid(-1, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main(arguments):
    split = arguments.index("--")
    sockets = [bind(spec) for spec in arguments[:split]]
    command = arguments[split + 1 :]
    signal.signal(signal.SIGCHLD, exit_with_child)
    child = start(command, sockets)
    for _ in iter(sys.stdin.readline, ""):
        end(child)
        signal.signal(signal.SIGCHLD, exit_with_child)
        child = start(command, sockets)
    sys.exit(os.waitstatus_to_exitcode(end(child)))


main(sys.argv[1:])
