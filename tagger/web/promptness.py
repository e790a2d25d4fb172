"""Promptness: nobody waits for something that could be had at once.

Answers leave at once instead of waiting 40 ms for an acknowledgement.
Streamlit binds the port with a socket that does not name its protocol, and asyncio
then does not turn Nagle's algorithm off for the connections it accepts. Head and body
of an answer are two writes, so on a connection that is kept open the body would wait
for the client's delayed acknowledgement: 44 ms a thumbnail where 3 ms do.

Nor does a client that stands still keep anybody waiting: the system hangs up on one
that takes nothing of its answer, which uvicorn would keep, and wait for at the end, for
ever; and connections that only wait do not use up the descriptors that files need.
"""

import os
import resource
import socket
import sys

import psutil

# Python's own is 5 ms. Each question takes its turn several times, and while photos are
# taken into the catalogue two threads are always ready to go before it.
TURN_S = 0.0005
# Later than `limits` gives up whatever makes the answer.
STANDS_STILL_S = 90
# Each connection is one of them; many systems begin with 1,024.
DESCRIPTORS = 16_384


def take_short_turns() -> None:
    """Let threads of this process hand on the interpreter ten times as often."""
    sys.setswitchinterval(TURN_S)


def allow_connections() -> None:
    """Let this process have more descriptors, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def send_at_once(port: int) -> int:
    """Turn the delay off on what listens at `port` here; how many sockets that were.

    Also let the system hang up on clients that take nothing, where it can.

    Connections take the option over from the listening socket they came in by.
    """
    sockets = 0
    for known in psutil.Process().net_connections("tcp"):
        if known.status == psutil.CONN_LISTEN and known.laddr[1] == port:
            with socket.socket(fileno=os.dup(known.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if (patience := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
                    listening.setsockopt(
                        socket.IPPROTO_TCP, patience, STANDS_STILL_S * 1000
                    )
            sockets += 1
    return sockets
