"""What went wrong on the way to a server, in words for whoever set the mailbox up."""

import socket
import ssl


def unreachable(where: str, error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of {where} is not for this server or not trusted ({cause.verify_message})."
        if isinstance(cause, ssl.SSLError):
            return f"no TLS with {where}. Is it the right port for this security?"
        if isinstance(cause, socket.gaierror):
            return f"there is no server called {where}. Check its name."
        if isinstance(cause, ConnectionRefusedError):
            return f"{where} takes no connections. Check server and port."
        if isinstance(cause, TimeoutError):
            return f"{where} does not answer. Check server and port, and whether a firewall lets the desk out."
        cause = cause.__cause__ or cause.__context__
    if "STARTTLS" in str(error).upper():
        return f"{where} offers no STARTTLS, so nothing was sent to it. Choose tls and its port."
    return f"the connection to {where} broke ({type(error).__name__})."
