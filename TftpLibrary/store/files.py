"""The files of a server, as the author of a test sees them.

Boards read and write through `open_read` and `open_write`, on the engine's thread; the test does
the rest on its own. Each change is one atomic step; `originals.py` owns what it replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType

from TftpLibrary.errors import TftpError
from TftpLibrary.protocol.packets import octets_of_text
from TftpLibrary.store.advice import explained
from TftpLibrary.store.base import Sink, Source, StoredFile, WritePolicy
from TftpLibrary.store.content import TestContent, generate
from TftpLibrary.store.digests import Checksums, Chunks, checksum, pieces
from TftpLibrary.store.incoming import (
    Incoming,
    Progress,
    chosen_below,
    counted,
    name_for,
    open_source,
)
from TftpLibrary.store.names import local_parts, text_of
from TftpLibrary.store.saved import saved
from TftpLibrary.store.served import ServedFolders

# A method of FileStore is called `list`.
List = list


class FileStore:
    """A folder that is served, content in memory above it, and files for single boards.

    Without a root it is a private folder, removed by `close`. A folder that was there before is
    put back by `close`: files that came through the store, from the test or from a board, are
    removed, overwritten and deleted ones return, and `close` reports files that others changed.
    Several stores of one process may serve one folder: the last one that closes puts it back.
    Stores of several processes may serve it, but only one process at a time may change it.

    Methods that look at files take a `client`, an address or a network: they show what its boards
    get. Without it a file for all boards comes first, then any other. Methods that change a file
    take as `client` what `only_for` was, and change nothing for other boards.

    Args:
        root: the folder; None for a private one.
        content: files held in memory, by name; they cover files of the folder.
        follow_symlinks: whether links may lead out of the folder. Links inside are followed.
        ignore_case: whether boards find files whose names differ in upper and lower case only.
        keep_files: whether `close` leaves everything as it is.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        content: Mapping[str, bytes] | None = None,
        follow_symlinks: bool = False,
        ignore_case: bool = False,
        keep_files: bool = False,
    ) -> None:
        self._folders = ServedFolders(
            root,
            content or {},
            follow_symlinks=follow_symlinks,
            ignore_case=ignore_case,
            keep_files=keep_files,
        )
        self._checksums = Checksums()

    def open(self) -> FileStore:
        """Opens the folder, or makes the private one. Idempotent.

        A folder that a killed run has changed is put back first; see `warnings`.

        Raises:
            UsageError: the root does not exist, is no folder, or cannot be read.
        """
        self._folders.open()
        return self

    def close(self) -> List[str]:
        """Cleans up. Idempotent; to be called when no board is served any more.

        Returns:
            A sentence for each file or folder that was left as others have changed it.
        """
        return self._folders.close()

    def __enter__(self) -> FileStore:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def root(self) -> Path:
        """The folder that is served."""
        return self._folders.common.root

    @property
    def warnings(self) -> List[str]:
        """Sentences for the user since the store was opened.

        The folder was put back after a run that was killed, or another process is changing it.
        """
        return self._folders.warnings

    # For boards.

    def open_read(self, name: bytes, client: str) -> Source:
        """Opens a file for a board."""
        return self._folders.open_read(name, client)

    def open_write(self, name: bytes, client: str, policy: WritePolicy, size: int | None) -> Sink:
        """Opens a file for a board's upload."""
        return self._folders.open_write(name, client, policy, size)

    # Adding files.

    def upload(
        self,
        source: str | Path,
        name: str = "",
        *,
        only_for: str = "",
        overwrite: bool = True,
        progress: Progress | None = None,
    ) -> StoredFile:
        """Copies a file from a path or a URL into the store, in one step.

        Args:
            source: a local path, or a `file://`, `http://`, `https://` or fsspec URL.
            name: the name for boards; the last part of the source by default.
            only_for: address or CIDR of the boards that see the file; empty is everyone.
            overwrite: whether another file of that name may be replaced.
            progress: called after each piece.

        Raises:
            UsageError: the source cannot be opened, or the name is taken or impossible.
            StoreError: the disk is full or refuses.
        """
        with closing(open_source(source)) as incoming:
            chosen = name_for(incoming, name)
            return self.take(
                incoming, chosen, only_for=only_for, overwrite=overwrite, progress=progress
            )

    def take(
        self,
        incoming: Incoming,
        name: str,
        *,
        only_for: str = "",
        overwrite: bool = True,
        progress: Progress | None = None,
    ) -> StoredFile:
        """Copies content that is open already; see `upload`."""
        folder = self._folders.folder_for(only_for)
        parts = local_parts(name)
        with explained(parts):
            if incoming.size is not None and incoming.size == folder.size(parts):
                digests = incoming.digests()
                if digests is not None and folder.holds(parts, digests):
                    return folder.get(parts, uploaded=False)
            chunks = counted(incoming, progress)
            return folder.put(parts, chunks, overwrite=overwrite, size=incoming.size)

    def upload_bytes(
        self, data: bytes, name: str, *, only_for: str = "", overwrite: bool = True
    ) -> StoredFile:
        """Stores bytes under a name."""
        return self._put(name, [data], len(data), only_for=only_for, overwrite=overwrite)

    def upload_folder(
        self, source: str | Path, name: str = "", *, pattern: str = "*", overwrite: bool = True
    ) -> List[StoredFile]:
        """Copies the files below a local folder whose relative names match the pattern.

        Args:
            source: the folder.
            name: the folder in the store; its root by default.
            pattern: a glob; `*` also matches `/`.
            overwrite: whether other files may be replaced.

        Raises:
            UsageError: there is no such folder, or no file in it matches.
        """
        return [
            self.upload(path, own_name, overwrite=overwrite)
            for path, own_name in chosen_below(source, name, pattern)
        ]

    def create(
        self, name: str, size: int, *, content: TestContent = TestContent.random, seed: int = 0
    ) -> StoredFile:
        """Makes a test file of exactly `size` octets; the same seed gives the same content."""
        return self._put(name, generate(size, content, seed), size)

    def copy(
        self, name: str, new_name: str, *, overwrite: bool = False, client: str = ""
    ) -> StoredFile:
        """Copies a file within the store."""
        folder, parts = self._folders.find(name, client)
        with explained(parts):
            source = folder.open(parts)
        with closing(source):
            chunks = pieces(source)
            return self._put(new_name, chunks, source.size, only_for=client, overwrite=overwrite)

    def rename(
        self, name: str, new_name: str, *, overwrite: bool = False, client: str = ""
    ) -> StoredFile:
        """Gives a file another name; a file for single boards stays for them."""
        find_own = self._folders.find_own
        folder, parts = find_own(name, client) if client else self._folders.find(name)
        new = local_parts(new_name)
        with explained(new):
            if new != parts:
                folder.rename(parts, new, overwrite=overwrite)
            return folder.get(new)

    # Reading files.

    def get(self, name: str, *, client: str = "") -> StoredFile:
        """Describes a file.

        Raises:
            UsageError: there is none; the text lists the files.
        """
        folder, parts = self._folders.find(name, client)
        with explained(parts):
            return folder.get(parts)

    def checksum(self, name: str, algorithm: str = "sha256", *, client: str = "") -> str:
        """Returns the checksum of a file: `crc32`, or any that `hashlib` has."""
        folder, parts = self._folders.find(name, client)
        with explained(parts):
            return checksum(folder.open(parts), algorithm)

    def read_bytes(self, name: str, *, client: str = "") -> bytes:
        """Returns the whole content of a file."""
        folder, parts = self._folders.find(name, client)
        with explained(parts):
            return b"".join([bytes(piece) for piece in pieces(folder.open(parts))])

    def download(self, name: str, destination: str | Path, *, client: str = "") -> Path:
        """Copies a file out of the store to the local disk, in one step.

        Args:
            name: the file.
            destination: a path, or an existing folder. Missing folders are made.
            client: address or network of boards, to have the file as they get it.

        Returns:
            The path of the copy.

        Raises:
            UsageError: there is no such file, or the destination cannot be written.
        """
        folder, parts = self._folders.find(name, client)
        with explained(parts), closing(folder.open(parts)) as source:
            return saved(Path(destination), parts[-1], source.size, pieces(source))

    def open_for(self, name: str, *, client: str = "") -> Source:
        """Opens a file for the author of the test, as a board gets it; see `download`."""
        folder, parts = self._folders.find(name, client)
        with explained(parts):
            return folder.open(parts)

    def size_of(self, name: str, *, client: str = "") -> int | None:
        """Returns the bytes of a file as a board gets it; None where there is none."""
        found = self._folders.look(name, client)
        return None if found is None else found[0].size(found[1])

    def list(self, pattern: str = "*", *, client: str = "") -> List[str]:
        """Returns the names of all files that match, sorted; `*` also matches `/`."""
        # A backslash is part of an escape in a listed name, or a separator as boards write it.
        patterns = {pattern, pattern.replace("\\", "/").lstrip("/")}
        names = map(text_of, self._folders.names(client))
        return sorted(name for name in names if any(fnmatchcase(name, p) for p in patterns))

    def exists(self, name: str, *, client: str = "") -> bool:
        """Whether there is a file of that name."""
        return self._folders.look(name, client) is not None

    def sha256_for(self, name: str, client: str) -> str:
        """Returns the checksum of the file that a board reads under a name; empty if unknown."""
        with suppress(TftpError), closing(self.open_read(octets_of_text(name), client)) as source:
            known = (folder.known_sha256(source.identity) for folder in self._folders.of())
            return next(filter(None, known), "") or self._checksums.sha256(source)
        return ""

    # Removing files.

    def delete(self, name: str, *, missing_ok: bool = False, client: str = "") -> bool:
        """Deletes a file, whichever boards see it. Returns whether there was one.

        Raises:
            UsageError: there is none, and `missing_ok` is False; the text lists the files.
        """
        folders = self._folders
        if missing_ok and not (folders.look_own(name, client) if client else folders.look(name)):
            return False
        own, parts = folders.find_own(name, client) if client else folders.find(name)
        with explained(parts):
            for folder in (own,) if client else folders.of():
                folder.remove(parts)
        return True

    def delete_all(self) -> List[str]:
        """Deletes every file, also those that were there before; `close` puts these back.

        Returns:
            The names, sorted.
        """
        names = self._folders.names()
        for parts in names:
            with explained(parts):
                for folder in self._folders.of():
                    folder.remove(parts)
        return sorted(map(text_of, names))

    def _put(
        self,
        name: str,
        chunks: Chunks,
        size: int,
        *,
        only_for: str = "",
        overwrite: bool = True,
    ) -> StoredFile:
        parts = local_parts(name)
        with explained(parts):
            return self._folders.folder_for(only_for).put(
                parts, chunks, overwrite=overwrite, size=size
            )
