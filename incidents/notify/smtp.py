"""Django's SMTP backend, with an end to how long one letter may take, whatever the server drips.

It also tells which recipients a server refused when it took others, which Django's does not.
"""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

Refused = dict[str, tuple[int, bytes]]


class Backend(EmailBackend):
    """The sockets of its connections are known from the moment they are open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sockets: list[socket.socket] = []

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        opened = self._sockets
        base = smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP

        class Watched(base):  # type: ignore[misc, valid-type]  # one of two classes
            def _get_socket(self, *args: Any) -> Any:
                made = super()._get_socket(*args)
                opened.append(made)
                return made

        return Watched

    def deliver(self, letter: EmailMultiAlternatives, within_seconds: float) -> Refused:
        """Hand one letter over; the recipients that were refused while others were taken.

        Raises what smtplib does, TimeoutError when the time was up.
        """
        with self._cut_after(within_seconds) as was_cut:
            try:
                self.open()
                written: Any = letter.message()  # its as_bytes takes more than its base's
                content = written.as_bytes(linesep="\r\n")
                assert self.connection is not None
                refused: Refused = self.connection.sendmail(letter.from_email, letter.to, content)
            except (smtplib.SMTPException, OSError) as error:
                if was_cut.is_set():
                    raise TimeoutError from error
                raise
            finally:
                with suppress(smtplib.SMTPException, OSError):
                    self.close()
        return refused

    @contextmanager
    def _cut_after(self, seconds: float) -> Iterator[threading.Event]:
        """Shuts the connection when the time is up: a socket's timeout bounds one answer only."""
        cut = threading.Event()

        def shut() -> None:
            cut.set()
            # STARTTLS puts another socket in the place of the first
            for sock in (*self._sockets, getattr(self.connection, "sock", None)):
                if sock is not None:
                    with suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, shut)
        timer.daemon = True
        timer.start()
        try:
            yield cut
        finally:
            timer.cancel()
