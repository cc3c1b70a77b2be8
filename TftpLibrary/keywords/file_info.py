"""The keywords that tell which files are in the store of a TFTP server, and what is in them."""

from __future__ import annotations

from typing import Any

from robot.api.deco import keyword

from TftpLibrary.errors import ExpectationError
from TftpLibrary.keywords.base import (
    Keywords,
    Operator,
    verify_names,
    verify_size,
    verify_text,
)
from TftpLibrary.keywords.conversions import HashAlgorithm
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.refusals import missing


class FileInfoKeywords(Keywords):
    """Look at the files in a server's store."""

    @keyword("Get TFTP File", tags=("File Store",))
    def get_tftp_file(self, name: str, *, server: str = "") -> StoredFile:
        """Returns what is known about a file in the store of a TFTP server.

        Args:
            name: The file.
            server: Alias of the server. Default: the active one.

        Returns:
            Its size, checksums and place.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | ${file}=    `Get TFTP File`    greeting.txt
        | Should Be Equal As Integers    ${file.size}    5
        """
        return self.state.server(server).files.get(name)

    @keyword("Get TFTP File Size", tags=("File Store", "Assertion"))
    def get_tftp_file_size(
        self,
        name: str,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        server: str = "",
    ) -> Any:
        """Returns the size of a file in the store of a TFTP server, and optionally checks it.

        Args:
            name: The file.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Size to compare with, in octets or with a unit.
            message: Text of the failure instead of the usual one.
            server: Alias of the server. Default: the active one.

        Returns:
            The size in octets.

        Example:
        | `Start TFTP Server`    port=0
        | `Create Test File`    image.bin    4 MiB
        | `Get TFTP File Size`    image.bin    ==    4 MiB
        """
        size = self.state.server(server).files.get(name).size
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
        server: str = "",
    ) -> Any:
        """Returns a checksum of a file in the store of a TFTP server, and optionally checks it.

        Args:
            name: The file.
            algorithm: Which checksum.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Checksum to compare with, in lower-case hexadecimal digits.
            message: Text of the failure instead of the usual one.
            server: Alias of the server. Default: the active one.

        Returns:
            Lower-case hexadecimal digits.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `Get TFTP File Checksum`    greeting.txt    crc32    ==    3610a686
        """
        checksum = self.state.server(server).files.checksum(name, algorithm.value)
        what = f"{algorithm.value} of '{name}':"
        return verify_text(checksum, assertion_operator, assertion_expected, what, message)

    @keyword("Get TFTP File Text", tags=("File Store", "Assertion"))
    def get_tftp_file_text(
        self,
        name: str,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        server: str = "",
    ) -> Any:
        r"""Returns the text of a file in the store of a TFTP server, and optionally checks it.

        Args:
            name: The file.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Text to compare with.
            message: Text of the failure instead of the usual one.
            server: Alias of the server. Default: the active one.

        Returns:
            The whole content as text in UTF-8. Octets that are not UTF-8 become ``\xNN``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hostname router-7    startup-config
        | `Get TFTP File Text`    startup-config    contains    router-7
        """
        data = self.state.server(server).files.read_bytes(name)
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
        server: str = "",
    ) -> Any:
        """Returns the names of the files in the store of a TFTP server, and optionally checks them.

        Args:
            pattern: Glob that a name must match; ``*`` matches ``/`` too.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: A name, or a list of names in any order.
            message: Text of the failure instead of the usual one.
            server: Alias of the server. Default: the active one.

        Returns:
            The names, sorted, those in folders as ``folder/name``.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    boot/greeting.txt
        | ${names}=    `List Files`    *.txt    contains    boot/greeting.txt
        """
        names = self.state.server(server).files.list(pattern)
        return verify_names(names, assertion_operator, assertion_expected, "Files", message)

    @keyword("TFTP File Should Exist", tags=("File Store", "Assertion"))
    def tftp_file_should_exist(self, name: str, *, server: str = "") -> None:
        """Fails unless a file is in the store of a TFTP server.

        Args:
            name: The file.
            server: Alias of the server. Default: the active one.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload Text`    hello    greeting.txt
        | `TFTP File Should Exist`    greeting.txt
        """
        files = self.state.server(server).files
        if not files.exists(name):
            raise ExpectationError(str(missing(name, files.list())))

    @keyword("TFTP File Should Not Exist", tags=("File Store", "Assertion"))
    def tftp_file_should_not_exist(self, name: str, *, server: str = "") -> None:
        """Fails if a file is in the store of a TFTP server.

        Args:
            name: The file.
            server: Alias of the server. Default: the active one.

        Example:
        | `Start TFTP Server`    port=0
        | `TFTP File Should Not Exist`    greeting.txt
        """
        if self.state.server(server).files.exists(name):
            raise ExpectationError(f"File '{name}' should not exist, but it does.")
