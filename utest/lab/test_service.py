from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from TftpLibrary.errors import LabError
from TftpLibrary.lab.lab import Lab
from TftpLibrary.lab.service import Service
from utest.support.labs import running_service, unix_socket


def test_a_socket_of_a_killed_lab_is_taken_over() -> None:
    with TemporaryDirectory(prefix="lab-") as folder:
        path = Path(folder, "lab.sock")
        with unix_socket() as killed:
            killed.bind(str(path))
        service = Service()
        service.listen_unix(path)
        assert path.stat().st_mode & 0o777 == 0o660
        service.close()
        assert not path.exists()


def test_two_labs_at_one_socket_are_refused() -> None:
    with running_service() as (_, url), pytest.raises(LabError, match="another lab listens there"):
        Service().listen_unix(Path(url.removeprefix("unix:")))


def test_the_end_of_a_lab_ends_its_sessions() -> None:
    with running_service() as (service, url), Lab(url) as lab:
        server = lab.server().start()
        service.close()
        with pytest.raises(LabError, match="was lost"):
            server.files.list()
