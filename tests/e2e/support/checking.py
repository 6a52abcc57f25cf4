"""gateway -t and the start, run to their end, and configurations to run them with."""

import subprocess
from pathlib import Path

from support.gateway import GATEWAY
from support.waiting import DEADLINE


def run(*arguments, limits=(), env=None):
    return subprocess.run([*limits, GATEWAY, *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False, stdin=subprocess.DEVNULL, env=env)


def both(chain, key):
    return f'[{{ chain = "{Path(chain).name}", key = "{Path(key).name}" }}]'


def with_certificates(value, port=18443):
    return (f'[[listen]]\naddress = "127.0.0.1:{port}"\ncertificates = {value}\n'
            '[[route]]\n[route.answer]\nbody = "x"\n')


def check_text(folder, text):
    """gateway -t with this text as its file."""
    file = folder / "gateway.conf"
    file.write_text(text)
    return run("-t", "-c", file)
