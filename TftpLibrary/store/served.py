"""The folders that a server serves: one for all boards, and one for each that has own files.

This module decides which of them a board sees, and where a file of a name lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from TftpLibrary.errors import UsageError
from TftpLibrary.networks import Network, holds, parse_network
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.advice import existing_folder, missing
from TftpLibrary.store.base import Sink, Source, StoreError, WritePolicy
from TftpLibrary.store.folder import Folder
from TftpLibrary.store.layers import Layer, LayeredStore
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import Parts, local_parts, octets_of, safe_parts, text_of
from TftpLibrary.store.originals import ORIGINALS


class ServedFolders:
    """A folder for all boards, and private folders for those that have files of their own.

    Args:
        root: the folder for all boards; None for a private one, which `close` removes.
        content: files held in memory above it, by name.
        follow_symlinks: whether links may lead out of the folder.
        ignore_case: whether boards find files whose names differ in upper and lower case only.
        keep_files: whether `close` leaves everything as it is.

    Attributes:
        warnings: sentences for the user since the folders were opened.
    """

    def __init__(
        self,
        root: Path | None,
        content: Mapping[str, bytes],
        *,
        follow_symlinks: bool,
        ignore_case: bool,
        keep_files: bool,
    ) -> None:
        self._given = root
        self._content = dict(content)
        self._follow_symlinks = follow_symlinks
        self._ignore_case = ignore_case
        self._keep_files = keep_files
        self.warnings: list[str] = []
        self._shared: Folder | None = None
        self._private: dict[Network, Folder] = {}
        self._made: list[Path] = []
        self._layers = LayeredStore(())
        MemoryStore(self._content)  # A bad name fails now, not when the server starts.

    def open(self) -> None:
        """Opens the folder, or makes the private one. Idempotent.

        A folder that a killed run has changed is put back first; see `warnings`.

        Raises:
            UsageError: the root does not exist, is no folder, or cannot be read.
        """
        if self._shared is None:
            self.warnings = []
            if self._given is None:
                root = self._make_folder("tftp-")
            else:
                root = existing_folder(self._given, "The root")
                self.warnings = ORIGINALS.look(root, follow_symlinks=self._follow_symlinks)
            self._shared = self._open_folder(root, self._content, restores=self._given is not None)
            self._arrange()

    def close(self) -> list[str]:
        """Cleans up. Idempotent; to be called when no board is served any more.

        Returns:
            A sentence for each file or folder that was left as others have changed it.
        """
        served = [*self._private.values(), *([self._shared] if self._shared else [])]
        self._shared, self._private, self._layers = None, {}, LayeredStore(())
        warnings = [warning for folder in served for warning in folder.close()]
        made, self._made = self._made, []
        for path in made if not self._keep_files else ():
            import shutil  # noqa: PLC0415 - as in _make_folder

            shutil.rmtree(path, ignore_errors=True)
            if path.exists():
                warnings.append(f"The private folder '{path}' cannot be removed.")
        return warnings

    def open_read(self, name: bytes, client: str) -> Source:
        """Opens a file for a board."""
        try:
            return self._layers.open_read(name, client)
        except StoreError as error:
            if not self._ignore_case or error.code is not ErrorCode.file_not_found:
                raise
            found = self._spelling(name, client)
            if found == name:
                raise
        return self._layers.open_read(found, client)

    def open_write(self, name: bytes, client: str, policy: WritePolicy, size: int | None) -> Sink:
        """Opens a file for a board's upload."""
        if self._ignore_case:
            name = self._spelling(name, client)
        return self._layers.open_write(name, client, policy, size)

    @property
    def common(self) -> Folder:
        """The folder for all boards."""
        if self._shared is None:
            raise UsageError("The files are not open. Start the server, or call open(), first.")
        return self._shared

    def of(self, client: str = "") -> Sequence[Folder]:
        """Returns the folders that a client, or the boards of a network, sees, the narrowest first.

        Without a client these are all folders: the one for all boards first.
        """
        if not client:
            return (self.common, *self._private.values())
        network = parse_network(client, "client")
        own = [(key, folder) for key, folder in self._private.items() if holds(key, network)]
        own.sort(key=lambda item: item[0].prefixlen, reverse=True)
        return [*(folder for _, folder in own), self.common]

    def names(self, client: str = "") -> set[Parts]:
        """Returns the names of all files, or of those that a client sees."""
        return {parts for folder in self.of(client) for parts in folder.names()}

    def look(self, name: str, client: str = "") -> tuple[Folder, Parts] | None:
        """Returns where a file lies; None where there is none."""
        return _look(name, self.of(client))

    def find(self, name: str, client: str = "") -> tuple[Folder, Parts]:
        """Returns where a file lies.

        Raises:
            UsageError: there is none; the text lists the files.
        """
        found = self.look(name, client)
        if found is None:
            raise missing(name, {text_of(parts) for parts in self.names(client)}, client)
        return found

    def look_own(self, name: str, client: str) -> tuple[Folder, Parts] | None:
        """Returns the file that is for exactly these boards; None where there is none."""
        own = self._private.get(parse_network(client, "client"))
        return _look(name, () if own is None else (own,))

    def find_own(self, name: str, client: str) -> tuple[Folder, Parts]:
        """Returns the file that is for exactly these boards, so that no other board is meant.

        Raises:
            UsageError: there is none; the text says for whom it is there.
        """
        found = self.look_own(name, client)
        if found is not None:
            return found
        parts = local_parts(name)
        places = ["all boards: leave client= out"] if self.common.has(parts) else []
        places += [f"client={key}" for key, folder in self._private.items() if folder.has(parts)]
        if places:
            raise UsageError(f"No file '{name}' for {client} alone. It is for {', '.join(places)}.")
        own = self._private.get(parse_network(client, "client"))
        names = own.names() if own is not None else set()
        raise missing(name, set(map(text_of, names)), client)

    def folder_for(self, client: str) -> Folder:
        """Returns the folder of the boards that an upload is for; makes it where there is none."""
        if not client:
            return self.common
        network = parse_network(client, "only_for")
        folder = self._private.get(network)
        if folder is None:
            folder = self._open_folder(self._make_folder("tftp-private-"), {}, restores=False)
            self._private = {**self._private, network: folder}
            self._arrange()
        return folder

    def _spelling(self, name: bytes, client: str) -> bytes:
        """Returns the name of the file that a board means, whatever the case of its letters."""
        try:
            parts = safe_parts(name)
        except StoreError:
            return name
        found = filter(None, (folder.spelling(parts) for folder in self.of(client)))
        return next(map(octets_of, found), name)

    def _open_folder(self, root: Path, content: Mapping[str, bytes], *, restores: bool) -> Folder:
        try:
            return Folder(
                root,
                MemoryStore(content),
                follow_symlinks=self._follow_symlinks,
                restores=restores and not self._keep_files,
            )
        except OSError as error:
            raise UsageError(f"The root '{root}' cannot be opened: {error.strerror}.") from error

    def _make_folder(self, prefix: str) -> Path:
        # Only for a private folder, since it loads random, shutil, bz2 and lzma.
        import tempfile  # noqa: PLC0415

        folder = Path(tempfile.mkdtemp(prefix=prefix))
        self._made.append(folder)
        return folder

    def _arrange(self) -> None:
        """Puts the layers in order: the narrowest network first, the folder for all boards last."""
        narrow = sorted(self._private, key=lambda network: network.prefixlen, reverse=True)
        layers = [Layer(self._private[network], (network,)) for network in narrow]
        self._layers = LayeredStore([*layers, Layer(self.common)])


def _look(name: str, folders: Sequence[Folder]) -> tuple[Folder, Parts] | None:
    parts = local_parts(name)
    for folder in folders:
        if folder.has(parts):
            return folder, parts
    # A name that is not plain text is listed with escapes: that form finds it too.
    for folder in folders if "\\" in name else ():
        for other in folder.names():
            if text_of(other) == name:
                return folder, other
    return None
