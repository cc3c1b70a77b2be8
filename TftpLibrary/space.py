"""Room on a disk: looked at before anything large is written, on every way."""

from __future__ import annotations

import os
import sys

from TftpLibrary.sizes import size_text

if sys.platform == "win32":

    def free_octets(folder: int | str) -> int | None:
        """Returns what may still be written to a folder; None where nobody knows."""
        import shutil  # noqa: PLC0415 - it loads bz2 and lzma

        try:
            return shutil.disk_usage(folder).free
        except OSError:
            return None

else:

    def free_octets(folder: int | str) -> int | None:
        """Returns what may still be written to a folder; None where nobody knows."""
        try:
            info = os.statvfs(folder)
        except OSError:
            return None
        # Some file systems in user space do not tell.
        return info.f_bavail * info.f_frsize if info.f_blocks else None


def lack_of_room(size: int | None, folder: int | str, shown: object = "") -> str:
    """Returns why a file has no room in a folder; empty where it has, or nobody knows.

    Args:
        size: octets of the file; None where they are not known.
        folder: path or descriptor of the folder.
        shown: what the text calls it, where that is not the path.
    """
    free = free_octets(folder) if size else None
    if size is None or free is None or size <= free:
        return ""
    return f"it needs {size_text(size)}, and {size_text(free)} are free in '{shown or folder}'"
