"""Forks of a worker that has loaded its code, where the version asks for them with `start=template`.

An order comes as one message with descriptors on a socket: the pipes of the fork, then the files by which it enters its control groups. The
daemon believes none of this: until the kernel says that one process stands where it should, the fork is given no call.
"""
import gc
import os
import signal
import socket
import threading

import frames
import reseed

_DESCRIPTORS_MAX = 16


class Orders:
    """The socket on which orders come."""

    def __init__(self):
        os.set_inheritable(frames.CONTROL_FD, False)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=frames.CONTROL_FD)

    def close(self):
        """No orders are taken."""
        self._socket.close()

    def ready(self):
        """Whether a fork would be whole: without other threads, which it would not have, and without children, which it would not own."""
        if threading.active_count() > 1 or len(os.listdir("/proc/self/task")) > 1:
            return False
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return False
        except ChildProcessError:
            pass
        self._handler = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # The kernel takes its forks away when they end, while it stands still.
        gc.collect()
        gc.freeze()  # Collections in forks leave these objects, and with them the shared pages, alone.
        return True

    def follow(self):
        """Forks once. Returns the fork's Replies in the fork, None in the parent."""
        _, descriptors, _, _ = socket.recv_fds(self._socket, 16, _DESCRIPTORS_MAX)
        if os.fork():
            for descriptor in descriptors:
                os.close(descriptor)
            return None
        return self._settle(descriptors)

    def _settle(self, descriptors):
        for group in descriptors[4:]:
            os.write(group, b"0")
        for source, target in zip(descriptors, (frames.REQUEST_FD, frames.REPLY_FD, 1, 2)):
            os.dup2(source, target, target <= 2)
        self._socket.close()
        for descriptor in descriptors:
            os.close(descriptor)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if self._handler is None else self._handler)
        reseed.reseed()
        return frames.Replies()
