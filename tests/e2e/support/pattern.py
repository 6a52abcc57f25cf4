"""The bytes that gateway-echo has at /bytes."""

PERIOD = 65_521


def pattern(size):
    """The bytes of /bytes?n=SIZE."""
    golden = 0x9E3779B97F4A7C15
    one = bytes((position + 1) * golden >> 56 & 0xFF for position in range(PERIOD))
    return (one * (size // PERIOD + 1))[:size]
