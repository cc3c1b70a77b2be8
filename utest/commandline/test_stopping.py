from __future__ import annotations

import os
import signal

from TftpLibrary.commandline.stopping import StopFlag


def test_a_signal_sets_the_flag_and_is_handled_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopFlag() as stop:
        assert not stop.is_set
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_set
    assert signal.getsignal(signal.SIGTERM) is before
