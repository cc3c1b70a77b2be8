"""The keywords for the files in the store of a TFTP server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from robot.api.deco import keyword
from robot.api.types import Secret

from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.keywords import outgoing, reporting
from TftpLibrary.keywords.base import (
    Keywords,
    Operator,
    new_place,
    output_path,
    verify_checksum,
    verify_names,
    verify_size,
    verify_text,
)
from TftpLibrary.keywords.conversions import HashAlgorithm, Size, required, to_source
from TftpLibrary.matching import is_glob
from TftpLibrary.store.advice import missing
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.content import TestContent
from TftpLibrary.store.urls import source_label


class FileKeywords(Keywords):
    """Change what is in a server's store, and look at it."""

    @keyword("Upload File", tags=("File Store",))
    def upload_file(
        self,
        source: str | Secret,
        name: str = "",
        *,
        only_for: str = "",
        overwrite: bool = True,
        server: str = "",
    ) -> StoredFile:
        """Puts a file into the store of a TFTP server.

        Args:
            source: Local path, or a URL: ``https://``, ``http://``, ``file://``, or another scheme
                with ``pip install robotframework-tftp[urls]``, also a file in an archive:
                ``zip://dir/zImage::https://host/build.zip``. A URL with a password is best a Robot
                Framework ``Secret``; its password is in no message.
            name: Name under which boards ask for it, with ``/`` between folders. Default: the last
                part of the source.
            only_for: Address, network or alias of the boards that get this file. Other boards get
                the file that is there without it, if any. Other keywords find it with ``client``.
                Default: all boards.
            overwrite: Whether an existing file of that name may be replaced.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store. Its ``uploaded`` is False when the store already had the same
            content and nothing was copied.

        A board that asks during the upload gets the old file or the new one, never a mix. For
        boards, ``boot/zImage`` and ``/boot/zImage`` are the same name.

        Example:
        | `Start TFTP Server`    port=0
        | ${file}=    `Upload File`    ${CURDIR}/zImage    boot/zImage
        | Log    In U-Boot, crc32 must print ${file.crc32}
        """
        files = self.state.server(server).files
        path = to_source(source)
        progress = reporting.copy_progress(source_label(str(path)))
        file = files.upload(path, name, only_for=only_for, overwrite=overwrite, progress=progress)
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
            text: The content, stored in UTF-8. Line ends are not changed.
            name: Name under which boards ask for it.
            only_for: Address, network or alias of the boards that get it. Default: all boards.
            overwrite: Whether an existing file of that name may be replaced.
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
            only_for: Address, network or alias of the boards that get it. Default: all boards.
            overwrite: Whether an existing file of that name may be replaced.
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
        """Puts the files of a folder and its subfolders into the store of a TFTP server.

        Args:
            source: Local folder.
            name: Folder in the store. Default: its top folder.
            pattern: Glob for the path below the source. Default: all files.
            overwrite: Whether existing files may be replaced.
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
            size: Size in bytes.
            content: Kind of content.
            seed: The same seed always produces the same random content.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store.

        Useful for the sizes at which boot loaders fail: 0 bytes, a whole number of blocks, one
        byte more, more than 65,535 blocks.

        Example:
        | `Start TFTP Server`    port=0
        | `Create Test File`    two-blocks.bin    1024
        | `Create Test File`    rollover.bin    40 MiB    content=zeros
        """
        file = self.state.server(server).files.create(name, size, content=content, seed=seed)
        reporting.log_stored([file])
        return file

    @keyword("Save TFTP File", tags=("File Store",))
    def save_tftp_file(
        self,
        name: str,
        destination: Path | None = None,
        *,
        client: str = "",
        server: str = "",
    ) -> Path:
        r"""Copies a file out of the store of a TFTP server to the local disk.

        Args:
            name: The file in the store, for example one that a board uploaded.
            destination: Local path, or an existing folder. A relative path starts at the output
                folder of the run; missing folders are made. Default: the output folder.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Returns:
            The local path.

        In a folder the file gets the last part of its name. Where that is no text, as `List Files`
        shows by ``\xNN``, each backslash becomes ``_``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hostname router-7    startup-config
        | ${path}=    `Save TFTP File`    startup-config    backup/router-7.cfg
        """
        files = self.state.server(server).files
        path = files.download(name, new_place(output_path(destination)), client=client)
        outgoing.info(f"Saved '{name}' as {path}")
        return path

    @keyword("Copy TFTP File", tags=("File Store",))
    def copy_tftp_file(
        self,
        name: str,
        new_name: str,
        *,
        overwrite: bool = False,
        client: str = "",
        server: str = "",
    ) -> StoredFile:
        """Copies a file within the store of a TFTP server.

        Args:
            name: The file.
            new_name: Name of the copy.
            overwrite: Whether an existing file of that name may be replaced.
            client: Address, network or alias of boards: the file that they get, and the copy is for
                them only. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Returns:
            The copy.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Copy TFTP File`    greeting.txt    backup/greeting.txt
        """
        return self.state.server(server).files.copy(
            name, new_name, overwrite=overwrite, client=client
        )

    @keyword("Rename TFTP File", tags=("File Store",))
    def rename_tftp_file(
        self,
        name: str,
        new_name: str,
        *,
        overwrite: bool = False,
        client: str = "",
        server: str = "",
    ) -> StoredFile:
        """Gives a file in the store of a TFTP server another name.

        Args:
            name: The file.
            new_name: Its new name.
            overwrite: Whether an existing file of that name may be replaced.
            client: Address, network or alias that was given as ``only_for``: the file of these
                boards, and of no other. Default: the file for all boards, or else that for any
                board.
            server: Alias of the server. Default: the active one.

        Returns:
            The file under its new name.

        A board that is reading the file still gets all of it.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Rename TFTP File`    greeting.txt    farewell.txt
        """
        return self.state.server(server).files.rename(
            name, new_name, overwrite=overwrite, client=client
        )

    @keyword("Delete File", tags=("File Store",))
    def delete_file(
        self, name: str, *, missing_ok: bool = False, client: str = "", server: str = ""
    ) -> None:
        """Deletes a file from the store of a TFTP server.

        Args:
            name: The file.
            missing_ok: If True, a missing file is not an error. By default the keyword fails and
                lists the existing files.
            client: Address, network or alias that was given as ``only_for``: the file of these
                boards, and of no other. Default: every file of that name.
            server: Alias of the server. Default: the active one.

        A board that is reading the file still gets all of it.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Delete File`    greeting.txt
        """
        files = self.state.server(server).files
        if files.delete(name, missing_ok=missing_ok, client=client) or not is_glob(name):
            return
        like = files.list(name, client=client)
        if like:
            raise UsageError(
                f"'{name}' is the name of one file here, and no glob. Files like that: "
                f"{', '.join(like)}."
            )

    @keyword("Delete All Files", tags=("File Store",))
    def delete_all_files(self, *, server: str = "") -> list[str]:
        """Deletes every file from the store of a TFTP server.

        Args:
            server: Alias of the server. Default: the active one.

        Returns:
            The names of the files that were deleted.

        If the server serves a folder that existed before, its files are put back when the server
        stops, unless it was started with ``keep_files=True``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Delete All Files`
        | ${names}=    `List Files`
        | Should Be Empty    ${names}
        """
        names = self.state.server(server).files.delete_all()
        reporting.log_names("Deleted", names)
        return names

    @keyword("Get TFTP File", tags=("File Store",))
    def get_tftp_file(self, name: str, *, client: str = "", server: str = "") -> StoredFile:
        """Returns a description of a file in the store of a TFTP server.

        Args:
            name: The file.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Returns:
            Its size, checksums and place.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | ${file}=    `Get TFTP File`    greeting.txt
        | Should Be Equal As Integers    ${file.size}    5
        """
        file = self.state.server(server).files.get(name, client=client)
        reporting.log_file(file)
        return file

    @keyword("Get TFTP File Size", tags=("File Store", "Assertion"))
    def get_tftp_file_size(
        self,
        name: str,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        client: str = "",
        server: str = "",
    ) -> Any:
        """Returns the size of a file in the store of a TFTP server, and optionally checks it.

        Args:
            name: The file.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Size to compare with, in bytes or with a unit.
            message: Error message to use instead of the default one.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Returns:
            The size in bytes.

        Example:
        | `Start TFTP Server`    port=0
        | `Create Test File`    image.bin    4 MiB
        | `Get TFTP File Size`    image.bin    ==    4 MiB
        """
        size = self.state.server(server).files.get(name, client=client).size
        what = f"Size of '{name}':"
        return verify_size(size, assertion_operator, assertion_expected, what, message)

    @keyword("Get TFTP File Checksum", tags=("File Store", "Assertion"))
    def get_tftp_file_checksum(
        self,
        name: str,
        algorithm: HashAlgorithm = HashAlgorithm.sha256,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        client: str = "",
        server: str = "",
    ) -> Any:
        """Returns a checksum of a file in the store of a TFTP server, and optionally checks it.

        Args:
            name: The file.
            algorithm: Kind of checksum.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Checksum to compare with, in hexadecimal digits.
            message: Error message to use instead of the default one.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Returns:
            Lower-case hexadecimal digits.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Get TFTP File Checksum`    greeting.txt    crc32    ==    3610a686
        """
        checksum = self.state.server(server).files.checksum(name, algorithm.value, client=client)
        what = f"{algorithm.value} of '{name}':"
        return verify_checksum(checksum, assertion_operator, assertion_expected, what, message)

    @keyword("Get TFTP File Text", tags=("File Store", "Assertion"))
    def get_tftp_file_text(
        self,
        name: str,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        client: str = "",
        server: str = "",
    ) -> Any:
        r"""Returns the text of a file in the store of a TFTP server, and optionally checks it.

        Args:
            name: The file.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Text to compare with.
            message: Error message to use instead of the default one.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Returns:
            The whole content as text in UTF-8. Bytes that are not UTF-8 become ``\xNN``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hostname router-7    startup-config
        | `Get TFTP File Text`    startup-config    contains    router-7
        """
        data = self.state.server(server).files.read_bytes(name, client=client)
        text = data.decode("utf-8", "backslashreplace")
        what = f"Text of '{name}':"
        return verify_text(text, assertion_operator, assertion_expected, what, message)

    @keyword("List Files", tags=("File Store", "Assertion"))
    def list_files(
        self,
        pattern: str = "*",
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        client: str = "",
        server: str = "",
    ) -> Any:
        """Returns the names of the files in the store of a TFTP server, and optionally checks them.

        Args:
            pattern: Glob for the names; ``*`` also matches ``/``.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: A whole name, or a list of names in any order. For ``contains`` and
                ``not contains`` also a glob such as ``*.dtb``.
            message: Error message to use instead of the default one.
            client: Address, network or alias of boards: the files that they get, see ``only_for``
                of `Upload File`. Default: all files.
            server: Alias of the server. Default: the active one.

        Returns:
            The sorted names; a file in a folder is ``folder/name``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    boot/greeting.txt
        | ${names}=    `List Files`    *.txt    contains    boot/greeting.txt
        """
        names = self.state.server(server).files.list(pattern, client=client)
        return verify_names(names, assertion_operator, assertion_expected, "Files", message)

    @keyword("TFTP File Should Exist", tags=("File Store", "Assertion"))
    def tftp_file_should_exist(self, name: str, *, client: str = "", server: str = "") -> None:
        """Fails unless a file is in the store of a TFTP server.

        Args:
            name: The file, or a glob such as ``*.dtb``.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: the file for all boards, or else that for any board.
            server: Alias of the server. Default: the active one.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `TFTP File Should Exist`    greeting.txt
        """
        if not self._find(name, client, server):
            names = self.state.server(server).files.list(client=client)
            raise ExpectationError(str(missing(name, names, client)))

    @keyword("TFTP File Should Not Exist", tags=("File Store", "Assertion"))
    def tftp_file_should_not_exist(self, name: str, *, client: str = "", server: str = "") -> None:
        """Fails if a file is in the store of a TFTP server.

        Args:
            name: The file, or a glob such as ``*.dtb``.
            client: Address, network or alias of boards: the file that they get, see ``only_for``
                of `Upload File`. Default: no board may have such a file.
            server: Alias of the server. Default: the active one.

        Example:
        | `Start TFTP Server`    port=0
        | `TFTP File Should Not Exist`    greeting.txt
        """
        found = self._find(name, client, server)
        if found:
            raise ExpectationError(f"File '{found}' should not exist, but it does.")

    def _find(self, name: str, client: str, server: str) -> str:
        """Returns the first file that a name or glob stands for; empty if there is none."""
        files = self.state.server(server).files
        if files.exists(name, client=client):
            return name
        return next(iter(files.list(name, client=client) if is_glob(name) else []), "")
