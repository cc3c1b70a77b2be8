"""A simulated board, to try a suite before the hardware is there.

In Robot Framework: `Resource    TftpBoard/board.resource`. In Python: `Board`.
"""

from TftpBoard.board import Board
from TftpBoard.habits import Habits
from TftpBoard.loaders import LOADERS
from TftpBoard.packets import BoardError

__all__ = ["LOADERS", "Board", "BoardError", "Habits"]
