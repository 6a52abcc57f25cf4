"""A gateway whose configuration changes while it serves."""

import signal


class Reloading:
    """Reloads a gateway, and says what its log has of it."""

    def __init__(self, gateway, log):
        self.gateway = gateway
        self.log = log
        self.reloads = 0

    def write(self, text=None):
        """As a deployment would: at once."""
        fresh = self.gateway.file.with_suffix(".new")
        fresh.write_text(self.gateway.config.text() if text is None else text)
        fresh.rename(self.gateway.file)

    def signal(self):
        self.gateway.process.send_signal(signal.SIGHUP)

    def ending(self):
        """Of the last reload: the line that each ends with."""
        self.reloads += 1
        lines = self.log.wait_many(self.reloads, "main reload: ")
        return lines[self.reloads - 1].split(" main reload: ")[1]

    def __call__(self, text=None):
        self.write(text)
        self.signal()
        return self.ending()
