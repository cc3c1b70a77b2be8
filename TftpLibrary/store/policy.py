"""What a WRQ is refused for before a single octet is taken, whatever the store."""

from __future__ import annotations

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError, WritePolicy
from TftpLibrary.store.names import forbidden, not_found


def check_policy(policy: WritePolicy, size: int | None) -> None:
    """Refuses an upload that the policy excludes, whatever its name.

    Raises:
        StoreError: code 2 when nothing may be written, code 3 when tsize tells too much.
    """
    if not policy.writable:
        raise forbidden("the server is read-only")
    if size is not None and policy.max_upload_size is not None and size > policy.max_upload_size:
        raise too_large(policy.max_upload_size)


def check_target(policy: WritePolicy, *, exists: bool) -> None:
    """Refuses an upload for what lies under its name.

    Raises:
        StoreError: code 6 when a file would be replaced, code 1 when one would be made.
    """
    if exists and not policy.overwrite:
        raise StoreError(ErrorCode.file_exists, "File already exists")
    if not exists and not policy.create:
        raise not_found("files that are not there yet may not be written")


def too_large(limit: int) -> StoreError:
    """The refusal of more octets than an upload may have."""
    return StoreError(
        ErrorCode.disk_full, "Upload too large", f"an upload may have {limit} octets at most"
    )
