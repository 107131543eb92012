"""The one way cryptocore refuses. No message ever holds a key, a plaintext or a reason."""

MESSAGE = "refused: altered, damaged, or not made for this key and place"


class CryptoError(Exception):
    """Something did not parse, open or verify.

    One type and one message for everything an attacker can cause: telling a wrong key
    from a wrong padding is what the attacks of Bleichenbacher, Vaudenay and Manger live on.
    A programmer's mistake is a ValueError or a TypeError instead. It takes no argument, so
    that no secret can get into its message.
    """

    def __init__(self) -> None:
        super().__init__(MESSAGE)

    def __reduce__(self) -> tuple[type["CryptoError"], tuple[()]]:
        # Without it a copy or pickle would hand the message back to a constructor that takes none.
        return type(self), ()
