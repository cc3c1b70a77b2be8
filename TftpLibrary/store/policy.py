"""The checks of a WRQ before a single octet is taken, whatever the store."""

from __future__ import annotations

from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.store.base import WritePolicy, exists, forbidden, not_found, too_large


def check_policy(policy: WritePolicy, size: int | None) -> None:
    """Refuses an upload that the policy excludes, whatever its name.

    Raises:
        StoreError: code 2 when nothing may be written, code 3 when tsize is too large.
    """
    if not policy.writable:
        raise forbidden("the server is read-only", Cause.read_only)
    if size is not None and policy.max_upload_size is not None and size > policy.max_upload_size:
        raise too_large(policy.max_upload_size)


def check_target(policy: WritePolicy, *, is_there: bool) -> None:
    """Refuses an upload for what lies under its name.

    Raises:
        StoreError: code 6 when a file would be replaced, code 1 when one would be made.
    """
    if is_there and not policy.overwrite:
        raise exists()
    if not is_there and not policy.create:
        raise not_found("files that are not there yet may not be written", Cause.no_creation)
