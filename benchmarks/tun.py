"""A long line on one host: ``python -m benchmarks.tun ROUND_TRIP_MS``, as root, on Linux.

A TUN device with the address `NEAR`. What is sent to `FAR`, its only neighbour, waits half a
round trip, and comes back with source and destination exchanged: who connects to `FAR` reaches
what listens on `NEAR`. Each packet is held back, so handshakes, acknowledgements, Nagle's
algorithm and slow start are the kernel's own, as on a real line. It ends with its standard input,
and the device with it.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import sys
import time
from collections import deque

NEAR, FAR = "198.19.255.253", "198.19.255.254"
"""Of the network that RFC 2544, section C.2.2, sets aside for benchmarks."""

_NETMASK = "255.255.255.252"
_LONGEST_PACKET = 2048

# <linux/if_tun.h> and <linux/sockios.h>
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_SIOCSIFFLAGS, _IFF_UP, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x0001, 0x8916, 0x891C


def open_device() -> int:
    """Make the device, and give its file descriptor.

    Raises:
        OSError: not permitted, or no such thing on this host.
    """
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wanted = struct.pack("16sH22x", b"bench%d", _IFF_TUN | _IFF_NO_PI)
    name = fcntl.ioctl(device, _TUNSETIFF, wanted)[:16]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, address in ((_SIOCSIFADDR, NEAR), (_SIOCSIFNETMASK, _NETMASK)):
            octets = socket.inet_aton(address)
            packed = struct.pack("16sH2x4s16x", name, socket.AF_INET, octets)
            fcntl.ioctl(control, request, packed)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", name, _IFF_UP))
    return device


def mirror(packet: bytes) -> bytes:
    """Exchange source and destination of an IPv4 packet; no checksum changes with their order."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def carry(device: int, seconds: float) -> None:
    """Bring each packet back after some time, until standard input ends."""
    held: deque[tuple[float, bytes]] = deque()
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        ready, _, _ = select.select([device, sys.stdin], [], [], wait)
        if sys.stdin in ready:
            return
        if device in ready:
            packet = os.read(device, _LONGEST_PACKET)
            if packet[0] >> 4 == 4:  # the kernel asks for IPv6 neighbours too
                held.append((time.monotonic() + seconds, mirror(packet)))
        while held and held[0][0] <= time.monotonic():
            os.write(device, held.popleft()[1])


def main() -> None:
    """Say that the device is up, and carry packets."""
    try:
        device = open_device()
    except OSError as error:
        sys.exit(f"no TUN device: {error}")
    print("up", flush=True)
    carry(device, float(sys.argv[1]) / 2000)


if __name__ == "__main__":
    main()
