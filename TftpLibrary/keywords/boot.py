"""The keywords for boot loaders: the names that they ask for, and what they read."""

from __future__ import annotations

from typing import Any

from robot.api.deco import keyword

from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.keywords import outgoing, reporting
from TftpLibrary.keywords.base import Keywords, Operator, verify_names
from TftpLibrary.store.base import StoredFile


class BootKeywords(Keywords):
    """Know what boot loaders ask for."""

    @keyword("Get Boot File Names", tags=("Boot", "Assertion"))
    def get_boot_file_names(
        self,
        loader: BootLoader,
        assertion_operator: Operator = None,
        assertion_expected: Any = None,
        message: str = "",
        *,
        mac: str = "",
        ip: str = "",
        uuid: str = "",
        serial: str = "",
        hostname: str = "",
        arch: str = "",
        folder: str | None = None,
        boot_file: str = "",
        until: str = "",
    ) -> Any:
        """Returns the names that a boot loader asks for, in its order, and optionally checks them.

        Args:
            loader: The boot loader.
            assertion_operator: How to compare, see `Assertions`. Default: no check.
            assertion_expected: Name, or list of names. Equality ignores the order.
            message: Error message to use instead of the default one.
            mac: MAC address of the board in any common writing, such as ``52:54:00:AB:CD:07`` or
                ``5254.00ab.cd07``.
            ip: IPv4 address of the board.
            uuid: UUID of the board, as its label and ``dmidecode`` show it. PXELINUX and GRUB ask
                for its bytes in another order, and so it is in their names.
            serial: Serial number, as the board writes it; for a Raspberry Pi its last eight digits.
            hostname: Host name. For barebox with the user before it: ``jane@board7``.
            arch: Architecture, as the loader writes it: ``arm`` for U-Boot, or with its SoC and
                board ``arm-am33xx-beagle``; the platform for ONIE, as ``x86_64-dell_s6000-r0``;
                ``arm64`` for shim and GRUB, whose default is ``x86_64``.
            folder: Folder in which the loader asks. Default: the folder of ``boot_file``, or the
                loader's own: ``/grub/`` for GRUB, and none for most others.
            boot_file: File that DHCP names to the board, with its folder.
            until: File that the loader finds, or the end of its name. It is the last one then.

        Returns:
            The names, as the loader writes them. Names of which nothing is known are left out.

        They are for `Requests Should Be` with ``match=in_order``.

        Example:
        | ${names}=    `Get Boot File Names`    pxelinux    mac=52:54:00:AB:CD:07    until=default
        | Should Be Equal    ${names}[1]    pxelinux.cfg/01-52-54-00-ab-cd-07
        """
        from TftpLibrary.boot.identity import parse_identity  # noqa: PLC0415 - few suites need it
        from TftpLibrary.boot.names import boot_file_names  # noqa: PLC0415 - few suites need it

        identity = parse_identity(
            mac=mac,
            ip=ip,
            uuid=uuid,
            serial=serial,
            hostname=hostname,
            arch=arch,
            folder=folder,
            boot_file=boot_file,
        )
        names = boot_file_names(loader, identity, until)
        return verify_names(names, assertion_operator, assertion_expected, "Boot files:", message)

    @keyword("Upload Boot Config", tags=("Boot", "File Store"))
    def upload_boot_config(
        self,
        loader: BootLoader,
        *,
        kernel: str = "",
        initrd: str = "",
        append: str = "",
        devicetree: str = "",
        text: str = "",
        mac: str = "",
        ip: str = "",
        uuid: str = "",
        serial: str = "",
        hostname: str = "",
        folder: str | None = None,
        boot_file: str = "",
        only_for: str = "",
        server: str = "",
    ) -> StoredFile:
        """Puts the configuration of a boot loader into the store of a TFTP server.

        Args:
            loader: The boot loader that reads it.
            kernel: Name of the kernel in the store. The text that boots it is made for
                ``pxelinux``, ``u_boot``, ``petitboot``, ``grub``, ``grub_signed``, ``ipxe`` and
                ``ipxe_uefi``.
            initrd: Name of the initramfs in the store. Default: none.
            append: Command line of the kernel.
            devicetree: Name of the device tree in the store. Default: none.
            text: Whole content instead, for any loader that reads a text.
            mac: MAC address of the board in any common writing. Default: every board.
            ip: IPv4 address of the board.
            uuid: UUID of the board, as its label and ``dmidecode`` show it.
            serial: Serial number of a Raspberry Pi: its last eight digits.
            hostname: Host name of network gear or of barebox.
            folder: Folder in which the loader asks, see `Get Boot File Names`.
            boot_file: File that DHCP names to the board, with its folder. For iPXE it is the name
                of the script.
            only_for: Address or network of the boards that get this file, see `Upload File`. With
                a signed GRUB and with iPXE this is the way to a configuration for one board.
            server: Alias of the server. Default: the active one.

        Returns:
            The file in the store, under the most specific name that the loader asks for with what
            is known of the board: by UUID, then by MAC address, then by IP address. Where nothing
            is known it is the name for all boards.

        It warns where the loader will not look there, or only sometimes.

        Example:
        | `Start TFTP Server`    port=0
        | `Upload File`    ${CURDIR}/zImage
        | `Upload Boot Config`    pxelinux    kernel=zImage    append=console=ttyS0
        | ${file}=    `Upload Boot Config`    grub_signed    kernel=zImage    only_for=192.168.1.50
        | Should Be Equal    ${file.name}    grub/grub.cfg
        """
        from TftpLibrary.boot.configs import Kernel, boot_config  # noqa: PLC0415 - few suites need it
        from TftpLibrary.boot.identity import parse_identity  # noqa: PLC0415 - few suites need it

        files = self.state.server(server).files
        identity = parse_identity(
            mac=mac,
            ip=ip,
            uuid=uuid,
            serial=serial,
            hostname=hostname,
            folder=folder,
            boot_file=boot_file,
        )
        boots = Kernel(kernel, initrd, append, devicetree)
        config = boot_config(
            loader, identity, boots if any(boots) else None, text, only_for=only_for
        )
        stored = files.upload_bytes(config.text.encode(), config.name, only_for=only_for)
        reporting.log_stored([stored])
        for warning in config.warnings:
            outgoing.warn(warning)
        return stored
