"""Which keys of [defaults.websocket] the gateway under test knows: what is tested by a key that is
not there yet waits for it."""

import functools
import subprocess
import tempfile
from pathlib import Path

from support.gateway import GATEWAY

EXAMPLES = {
    "validate": '"full"', "compression": '"pass"', "frame_max": '"1MiB"', "message_max": '"1MiB"',
    "messages_per_second": "1000", "bytes_per_second": '"1MiB"', "lifetime": '"1h"', "ping": '"25s"',
    "slow_consumer": '{ grace = "15s" }',
}
CONFIG = """[[listen]]
address = "127.0.0.1:8080"
[pool.app]
servers = ["127.0.0.1:9001"]
[[route]]
pool = "app"
[defaults.websocket]
{key} = {value}
"""


@functools.cache
def is_known(key, value=None):
    with tempfile.TemporaryDirectory(prefix="gateway-key-") as folder:
        file = Path(folder) / "gateway.conf"
        file.write_text(CONFIG.format(key=key, value=value or EXAMPLES[key]), encoding="utf-8")
        done = subprocess.run([GATEWAY, "-t", "-c", file], capture_output=True, text=True, check=False)
    return done.returncode == 0
