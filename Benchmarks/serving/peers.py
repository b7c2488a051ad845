"""What a user would run otherwise: an echo behind FastAPI and uvicorn, in a virtual environment of its own."""
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request

PACKAGES = ("fastapi==0.115.6", "uvicorn==0.34.0", "uvloop==0.21.0", "httptools==0.6.4", "numpy==2.2.1")
APP = """
from fastapi import FastAPI, Request
app = FastAPI()

@app.post("/echo")
async def echo(request: Request):
    return {"result": await request.json()}
"""


def environment(folder):
    """The interpreter of a virtual environment with the peers, made when it is not there."""
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def fastapi(python, folder):
    """One worker of uvicorn with uvloop and httptools; gives the URL of its echo."""
    port = free_port()
    with open(os.path.join(folder, "peer_app.py"), "w", encoding="ascii") as file:
        file.write(APP)
    line = [python, "-m", "uvicorn", "peer_app:app", "--port", str(port), "--loop", "uvloop", "--http", "httptools",
            "--log-level", "warning", "--no-access-log"]
    process = subprocess.Popen(line, cwd=folder)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/echo"
    finally:
        process.terminate()
        process.wait()


def wait_for(port):
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")
