"""Promptness: nobody waits for something that could be had at once.

Answers leave at once instead of waiting 40 ms for an acknowledgement.
Streamlit binds the port with a socket that does not name its protocol, and asyncio
then does not turn Nagle's algorithm off for the connections it accepts. Head and body
of an answer are two writes, so on a connection that is kept open the body would wait
for the client's delayed acknowledgement: 44 ms a thumbnail where 3 ms do.
"""

import os
import socket
import sys

import psutil

# Python's own is 5 ms. Each question takes its turn several times, and while photos are
# taken into the catalogue two threads are always ready to go before it.
TURN_S = 0.0005


def take_short_turns() -> None:
    """Let threads of this process hand on the interpreter ten times as often."""
    sys.setswitchinterval(TURN_S)


def send_at_once(port: int) -> int:
    """Turn the delay off on what listens at `port` here; how many sockets that were.

    Connections take the option over from the listening socket they came in by.
    """
    sockets = 0
    for known in psutil.Process().net_connections("tcp"):
        if known.status == psutil.CONN_LISTEN and known.laddr[1] == port:
            with socket.socket(fileno=os.dup(known.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets += 1
    return sockets
