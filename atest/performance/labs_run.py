"""How much later a wait goes on than the board is done, over a lab; a process of its own.

    labs_run.py URL BOARD...    the lab, and the words that start a board beside it
    labs_run.py board HOST PORT the board: downloads once for each line, and prints when it was done

Both print seconds. The clock that they read is the same in all processes of a machine.
"""

from __future__ import annotations

import subprocess
import sys
import time

from TftpLibrary import Download, Lab, TftpClient

_BOARDS = 40


def main(words: list[str]) -> None:
    """Plays the runner, or the board."""
    if words[0] == "board":
        board(words[1], int(words[2]))
    else:
        runner(words[0], words[1:])


def runner(url: str, board_words: list[str]) -> None:
    """Waits for a download again and again, and prints how late each wait returned."""
    with Lab(url) as lab, lab.server() as server:
        server.files.create("f", 1000)
        command = [*board_words, "board", server.host, str(server.port)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            for _ in range(_BOARDS):
                mark = server.recorder.mark()
                print(file=other.stdin, flush=True)
                server.wait_until(Download("f"), 5, mark)
                returned = time.monotonic()
                print(returned - float(other.stdout.readline()))


def board(host: str, port: int) -> None:
    """Downloads for each line of standard input."""
    with TftpClient(host, port) as client:
        for _ in sys.stdin:
            client.get_bytes("f")
            print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
