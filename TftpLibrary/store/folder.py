"""One folder with content in memory above it: read by boards, changed by test and boards."""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from TftpLibrary.store.base import (
    Source,
    Store,
    StoredFile,
    StoreError,
    WritePolicy,
    exists,
    refusal,
)
from TftpLibrary.store.cases import spellings
from TftpLibrary.store.digests import Chunks, Digester, Digests, digests_of, pieces
from TftpLibrary.store.directory import DirectorySink, DirectorySource, DirectoryStore
from TftpLibrary.store.layers import Layer, LayeredStore
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import Parts, is_hidden, octets_of, safe_parts, text_of
from TftpLibrary.store.originals import ORIGINALS, Holding, Originals
from TftpLibrary.store.policy import check_policy, check_target


class Folder:
    """A folder whose files the author of a test can list, change and put back.

    Content in memory covers a file of the same name in the folder. A file that is written goes to
    the folder, and replaces the content that covered it.

    Args:
        root: the folder.
        content: the files held in memory above it.
        follow_symlinks: whether links may lead out of the folder.
        restores: whether `close` puts the folder back as it was.
        originals: the owner of the folder's originals; by default the one that all servers share.
    """

    def __init__(
        self,
        root: Path,
        content: MemoryStore,
        *,
        follow_symlinks: bool = False,
        restores: bool = True,
        originals: Originals = ORIGINALS,
    ) -> None:
        self.root = root
        self._content = content
        self._store = DirectoryStore(root, follow_symlinks=follow_symlinks)
        self._readable: Store = self._store
        if content.names():
            self._readable = LayeredStore([Layer(content), Layer(self._store)])
        self._holding = originals.hold(
            self._store.root, follow_symlinks=follow_symlinks, restores=restores
        )
        self._digests: dict[Parts, tuple[Hashable, Digests]] = {}

    def open_read(self, name: bytes, client: str) -> Source:
        """Opens a file for a board."""
        return self._readable.open_read(name, client)

    def open_write(
        self,
        name: bytes,
        client: str,  # noqa: ARG002 - one folder for all
        policy: WritePolicy,
        size: int | None,
    ) -> FolderSink:
        """Opens a file for a board's upload."""
        check_policy(policy, size)
        parts = safe_parts(name)
        if self._content.has(parts):
            check_target(policy, is_there=True)
        sink = self._holding.open(partial(self._store.open_sink, parts, policy, size))
        return FolderSink(sink, self._holding, self._content)

    def open(self, parts: Parts) -> Source:
        """Opens a file for the author of the test, who may have made the root anew.

        Raises:
            StoreError: as `open_read`.
        """
        self._store.root.refresh()
        return self._readable.open_read(octets_of(parts), "")

    def has(self, parts: Parts) -> bool:
        """Whether there is a file of that name, readable or not."""
        self._store.root.refresh()
        if self._content.has(parts):
            return True
        try:
            with self._store.root.parent(parts) as place:
                found = place.stat()
            if found is None or not stat.S_ISLNK(found.st_mode):
                return found is not None and stat.S_ISREG(found.st_mode)
            self.open(parts).close()
        except (OSError, StoreError):
            return False
        return True

    def names(self) -> set[Parts]:
        """Returns the names of all files that a board could ask for."""
        return {*self._content.names(), *self._names(self.root, ())}

    def spelling(self, parts: Parts) -> Parts | None:
        """Returns the name of a file that is equal to a name but for its case; None without one."""
        return next(filter(self.has, spellings(parts, self._entries)), None)

    def get(self, parts: Parts, *, uploaded: bool = True) -> StoredFile:
        """Describes a file; its content is read only if it changed since the last time.

        Raises:
            StoreError: as `open_read`.
        """
        with closing(self.open(parts)) as source:
            identity = source.identity
            known = self._digests.get(parts)
            if known is None or known[0] != identity:
                known = (identity, digests_of(source))
                self._digests[parts] = known
        digests = known[1]
        path = None if self._content.has(parts) else self.root.joinpath(*parts)
        return StoredFile(
            text_of(parts), digests.size, digests.sha256, digests.crc32, path, uploaded
        )

    def known_sha256(self, identity: Hashable) -> str:
        """Returns the checksum of a content that was looked at before; empty for any other."""
        return next((d.sha256 for key, d in self._digests.values() if key == identity), "")

    def holds(self, parts: Parts, digests: Digests) -> bool:
        """Whether a file of that name has that content."""
        try:
            with closing(self.open(parts)) as source:
                if source.size != digests.size:
                    return False
            return self.get(parts).sha256 == digests.sha256
        except StoreError:
            return False

    def size(self, parts: Parts) -> int | None:
        """Returns the octets of a file; None when it cannot be read."""
        try:
            with closing(self.open(parts)) as source:
                return source.size
        except StoreError:
            return None

    def put(
        self, parts: Parts, chunks: Chunks, *, overwrite: bool, size: int | None = None
    ) -> StoredFile:
        """Stores content under a name; does nothing if the same content is already there.

        Args:
            parts: the name.
            chunks: the content.
            overwrite: whether another content may be replaced.
            size: octets of the content, where they are known.

        Raises:
            StoreError: code 6 when another content lies there, 2 or 3 when it cannot be written.
        """
        digester = Digester()
        if not overwrite and self.has(parts):
            for chunk in chunks:
                digester.update(chunk)
            if not self.holds(parts, digester.finish()):
                raise exists()
            return self.get(parts, uploaded=False)
        policy = WritePolicy(writable=True, overwrite=overwrite)
        sink = self.open_write(octets_of(parts), "", policy, size)
        try:
            for chunk in chunks:
                sink.write([chunk])
                digester.update(chunk)
            digests = digester.finish()
            if self.holds(parts, digests):
                return self.get(parts, uploaded=False)
            file_id = sink.file_id
            sink.commit()
        finally:
            sink.discard()
        with closing(self._store.open_read(octets_of(parts), "")) as source:
            # No board has replaced it already.
            if isinstance(source, DirectorySource) and source.identity[:2] == file_id:
                self._digests[parts] = (source.identity, digests)
        return self.get(parts)

    def remove(self, parts: Parts) -> bool:
        """Removes a file. Returns whether there was one.

        Raises:
            StoreError: the system refuses.
        """
        was_there = self.has(parts)
        self._content.remove(parts)
        self._digests.pop(parts, None)
        try:
            if was_there and self.has(parts):
                self._holding.remove(parts)
        except OSError as error:
            raise refusal(error) from error
        return was_there

    def rename(self, old: Parts, new: Parts, *, overwrite: bool) -> None:
        """Gives a file another name, in one step.

        Raises:
            StoreError: code 1 when it is not there, 6 when another has the new name.
        """
        if not overwrite and self.has(new):
            raise exists()
        if self._content.has(old):
            self.put(new, pieces(self.open(old)), overwrite=overwrite)
            self.remove(old)
            return
        self.open(old).close()
        try:
            self._holding.rename(old, new, overwrite=overwrite)
        except OSError as error:
            raise refusal(error) from error
        self._content.remove(new)

    def close(self) -> list[str]:
        """Discards unfinished uploads, and puts the folder back as it was.

        Returns:
            A sentence for each file or folder that was left as others have changed it.
        """
        self._store.root.refresh()
        warnings = self._holding.release()
        self._store.close()
        return warnings

    def _names(self, folder: Path, above: Parts) -> Iterator[Parts]:
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return
        for entry in entries:
            parts = (*above, entry.name)
            if is_hidden(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False) or self._is_way(entry, parts):
                yield from self._names(Path(entry.path), parts)
            elif _can_be_asked(parts) and (
                entry.is_file(follow_symlinks=False) or (entry.is_symlink() and self.has(parts))
            ):
                yield parts

    def _is_way(self, entry: os.DirEntry[str], parts: Parts) -> bool:
        """Whether boards reach more files through a link: not out of the root, nor round about."""
        if not entry.is_symlink() or not entry.is_dir():
            return False
        try:
            with self._store.root.parent((*parts, entry.name)):
                above = [self.root.joinpath(*parts[:depth]).stat() for depth in range(len(parts))]
                return not any(os.path.samestat(entry.stat(), info) for info in above)
        except (OSError, StoreError):
            return False

    def _entries(self, above: Parts) -> set[str]:
        depth = len(above)
        names = {parts[depth] for parts in self._content.names() if parts[:depth] == above}
        with suppress(OSError):
            names.update(path.name for path in self.root.joinpath(*above).iterdir())
        return names


class FolderSink:
    """An upload to a folder: the file that it replaces is kept until the folder is put back."""

    def __init__(self, sink: DirectorySink, holding: Holding, content: MemoryStore) -> None:
        self._sink = sink
        self._holding = holding
        self._content = content

    @property
    def file_id(self) -> tuple[int, int]:
        """Device and inode of the file, while it is written."""
        return self._sink.file_id

    def expect(self, size: int) -> None:
        """Looks whether there is room for the whole file."""
        self._sink.expect(size)

    def write(self, buffers: Sequence[memoryview | bytes]) -> None:
        """Appends the buffers in order."""
        self._sink.write(buffers)

    def commit(self) -> Path | None:
        """Makes the file visible under its name, in one step."""
        path = self._holding.replace(self._sink)
        self._content.remove(self._sink.parts)
        return path

    def discard(self) -> None:
        """Forgets what was written. Idempotent."""
        self._holding.discard(self._sink)


def _can_be_asked(parts: Parts) -> bool:
    try:
        return safe_parts(octets_of(parts)) == parts
    except StoreError:
        return False
