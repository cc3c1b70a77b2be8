"""The keywords that put files into the store of a TFTP server, move them and take them out."""

from __future__ import annotations

from pathlib import Path

from robot.api.deco import keyword

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import Keywords
from TftpLibrary.keywords.conversions import Size, required, to_source
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.content import TestContent


class FileKeywords(Keywords):
    """Change what is in a server's store."""

    @keyword("Upload File", tags=("File Store",))
    def upload_file(
        self,
        source: str,
        name: str = "",
        *,
        only_for: str = "",
        overwrite: bool = True,
        server: str = "",
    ) -> StoredFile:
        """Puts a file into the store of a TFTP server.

        Args:
            source: Local path, or a URL: ``https://``, ``http://``, ``file://``, or another scheme
                with ``pip install robotframework-tftp[urls]``.
            name: Name under which boards ask for it, with ``/`` between folders. Default: the last
                part of the source.
            only_for: Address or network of the boards that get this file; others get what is there
                without it. Default: everyone.
            overwrite: Whether a file of that name may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store. ``uploaded`` is False when the same content was there already
            and nothing was copied.

        A board that asks meanwhile gets the old file or the new one, never a mix. The name may
        be ``boot/zImage`` or ``/boot/zImage``: for boards it is the same.

        Example:
        | `Start TFTP Server`    port=0
        | ${file}=    `Upload File`    ${CURDIR}/zImage    boot/zImage
        | Log    In U-Boot, crc32 must print ${file.crc32}
        """
        files = self.state.server(server).files
        progress = reporting.copy_progress(source)
        file = files.upload(
            to_source(source), name, only_for=only_for, overwrite=overwrite, progress=progress
        )
        reporting.log_stored([file])
        return file

    @keyword("Upload Text", tags=("File Store",))
    def upload_text(
        self,
        text: str,
        name: str,
        *,
        only_for: str = "",
        overwrite: bool = True,
        server: str = "",
    ) -> StoredFile:
        r"""Puts a text into the store of a TFTP server, as a file in UTF-8.

        Args:
            text: The content. A line ends with ``\n`` and is not changed.
            name: Name under which boards ask for it.
            only_for: Address or network of the boards that get this file. Default: everyone.
            overwrite: Whether a file of that name may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    DEFAULT linux\nLABEL linux\n    pxelinux.cfg/default
        """
        files = self.state.server(server).files
        data = text.encode("utf-8")
        file = files.upload_bytes(data, name, only_for=only_for, overwrite=overwrite)
        reporting.log_stored([file])
        return file

    @keyword("Upload Bytes", tags=("File Store",))
    def upload_bytes(
        self,
        data: bytes,
        name: str,
        *,
        only_for: str = "",
        overwrite: bool = True,
        server: str = "",
    ) -> StoredFile:
        """Puts bytes into the store of a TFTP server.

        Args:
            data: The content.
            name: Name under which boards ask for it.
            only_for: Address or network of the boards that get this file. Default: everyone.
            overwrite: Whether a file of that name may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store.

        Example:
        | `Start TFTP Server`    port=0
        | ${data}=    Evaluate    bytes(range(256))
        | `Upload Bytes`    ${data}    all-octets.bin
        """
        files = self.state.server(server).files
        file = files.upload_bytes(data, name, only_for=only_for, overwrite=overwrite)
        reporting.log_stored([file])
        return file

    @keyword("Upload Folder", tags=("File Store",))
    def upload_folder(
        self,
        source: Path,
        name: str = "",
        *,
        pattern: str = "*",
        overwrite: bool = True,
        server: str = "",
    ) -> list[StoredFile]:
        """Puts the files of a folder, and of the folders in it, into the store of a TFTP server.

        Args:
            source: Local folder.
            name: Folder in the store. Default: the top.
            pattern: Glob that the path below the source must match. Default: every file.
            overwrite: Whether files of the same names may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The files in the store.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Folder`    ${CURDIR}/images    rpi4    pattern=*.dtb
        """
        files = self.state.server(server).files
        folder = required(source, "source")
        stored = files.upload_folder(folder, name, pattern=pattern, overwrite=overwrite)
        reporting.log_stored(stored)
        return stored

    @keyword("Create Test File", tags=("File Store",))
    def create_test_file(
        self,
        name: str,
        size: Size,
        *,
        content: TestContent = TestContent.random,
        seed: int = 0,
        server: str = "",
    ) -> StoredFile:
        """Makes a file of a given size in the store of a TFTP server.

        Args:
            name: Name under which boards ask for it.
            size: Size in octets.
            content: What is in it.
            seed: Another seed makes another random content; the same one makes the same.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store.

        It is meant for the sizes at which boot loaders fail: 0, a whole number of blocks, one
        octet more, more than 65,535 blocks.

        Example:
        | `Start TFTP Server`    port=0
        | `Create Test File`    two-blocks.bin    1024
        | `Create Test File`    rollover.bin    40 MiB    content=zeros
        """
        file = self.state.server(server).files.create(name, size, content=content, seed=seed)
        reporting.log_stored([file])
        return file

    @keyword("Download File", tags=("File Store",))
    def download_file(self, name: str, destination: Path, *, server: str = "") -> Path:
        """Copies a file out of the store of a TFTP server to the local disk.

        Args:
            name: The file in the store, for example one that a board uploaded.
            destination: Local path, or a folder that exists.
            server: Alias of the server. Default: the active one.

        Returns:
            The local path.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hostname router-7    startup-config
        | ${path}=    `Download File`    startup-config    ${TEMPDIR}
        """
        files = self.state.server(server).files
        return files.download(name, required(destination, "destination"))

    @keyword("Copy TFTP File", tags=("File Store",))
    def copy_tftp_file(
        self, name: str, new_name: str, *, overwrite: bool = False, server: str = ""
    ) -> StoredFile:
        """Copies a file within the store of a TFTP server.

        Args:
            name: The file.
            new_name: Name of the copy.
            overwrite: Whether a file of that name may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The copy.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Copy TFTP File`    greeting.txt    backup/greeting.txt
        """
        return self.state.server(server).files.copy(name, new_name, overwrite=overwrite)

    @keyword("Rename TFTP File", tags=("File Store",))
    def rename_tftp_file(
        self, name: str, new_name: str, *, overwrite: bool = False, server: str = ""
    ) -> StoredFile:
        """Gives a file in the store of a TFTP server another name.

        Args:
            name: The file.
            new_name: Its name from now on.
            overwrite: Whether a file of that name may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The file under its new name.

        A board that is reading the file gets it to the end.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Rename TFTP File`    greeting.txt    farewell.txt
        """
        return self.state.server(server).files.rename(name, new_name, overwrite=overwrite)

    @keyword("Delete File", tags=("File Store",))
    def delete_file(self, name: str, *, missing_ok: bool = False, server: str = "") -> None:
        """Deletes a file from the store of a TFTP server.

        Args:
            name: The file.
            missing_ok: Whether it may be missing. By default that fails, with the files that
                are there.
            server: Alias of the server. Default: the active one.

        A board that is reading the file gets it to the end.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Delete File`    greeting.txt
        """
        self.state.server(server).files.delete(name, missing_ok=missing_ok)

    @keyword("Delete All Files", tags=("File Store",))
    def delete_all_files(self, *, server: str = "") -> list[str]:
        """Deletes every file from the store of a TFTP server.

        Args:
            server: Alias of the server. Default: the active one.

        Returns:
            The names of the files that were deleted.

        Files of a folder that was there before are put back when the server stops, unless it was
        started with ``keep_files=True``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Delete All Files`
        | ${names}=    `List Files`
        | Should Be Empty    ${names}
        """
        return self.state.server(server).files.delete_all()
