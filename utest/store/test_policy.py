from __future__ import annotations

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.policy import check_policy, check_target
from utest.support.stores import OVERWRITING, WRITABLE, refused


def test_a_read_only_server_refuses_every_upload() -> None:
    with refused(ErrorCode.access_violation, "read-only"):
        check_policy(WritePolicy(), None)


@pytest.mark.parametrize("size", [None, 0, 1000])
def test_an_upload_up_to_the_limit_is_taken(size: int | None) -> None:
    check_policy(WritePolicy(writable=True, max_upload_size=1000), size)


def test_tsize_over_the_limit_is_refused_at_once() -> None:
    with refused(ErrorCode.disk_full, "an upload may have 1,000 bytes at most"):
        check_policy(WritePolicy(writable=True, max_upload_size=1000), 1001)


def test_without_a_limit_any_tsize_is_taken() -> None:
    check_policy(WRITABLE, 1 << 50)


def test_an_existing_file_is_refused_without_leave() -> None:
    with refused(ErrorCode.file_exists):
        check_target(WRITABLE, is_there=True)
    check_target(OVERWRITING, is_there=True)


def test_a_new_file_is_refused_when_none_may_be_made() -> None:
    policy = WritePolicy(writable=True, create=False, overwrite=True)
    with refused(ErrorCode.file_not_found):
        check_target(policy, is_there=False)
    check_target(policy, is_there=True)
