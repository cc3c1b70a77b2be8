"""The listener: follows suites, tests and keywords, and writes into the log."""

from __future__ import annotations

from typing import Any

from robot.api import logger
from robot.libraries.BuiltIn import BuiltIn

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.argument_types import explain_refusals
from TftpLibrary.keywords.conversions import FailureKeyword
from TftpLibrary.keywords.log.journal import Journal
from TftpLibrary.keywords.state import LibraryState


class Scopes:
    """Begins and ends the scopes of the state with suites and tests, and writes the journal.

    Robot Framework calls it, since a component with this attribute is a listener.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, state: LibraryState) -> None:
        self.state = state
        self._journal = Journal(state)
        # A test of a suite whose setup failed is not run: it has nothing to log.
        self._is_test_run = False

    # Robot's own classes are in the signature of a listener, which are not typed.

    def start_suite(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Begins the scope of a suite."""
        self.state.enter(data.id)
        self._journal.begin()

    def start_test(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Begins the scope of a test."""
        self._is_test_run = False
        self.state.enter(data.id, is_test=True)
        self._journal.begin()

    def start_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:  # noqa: ARG002
        """Explains a call of this library that Robot Framework is about to refuse."""
        explain_refusals(implementation)

    def end_keyword(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Writes the transfers that ended meanwhile, whichever library the keyword is of."""
        self._is_test_run = True
        self._journal.write_cards(is_end=_is_of_suite(result))
        if result.failed and _is_of_suite(result):
            self._write_failure()

    def end_test(self, data: Any, result: Any) -> None:
        """Stops what the test started, and writes the results."""
        # Before the files go: the cards show their checksums.
        self._journal.write_cards(is_end=True)
        if result.failed and self._is_test_run:
            # While the servers of the test still run.
            self._run_on_failure()
        watch, has_server = self.state.watch_scope(), self.state.is_running()
        reporting.log_ended(self.state.leave_faults(data.id))
        reporting.log_stopped(self.state.leave(data.id))
        self._journal.write_cards(is_end=True)
        if result.failed and self._is_test_run:
            self._journal.write_failure(watch, has_server=has_server)
        self._settle_captures(data, result)

    def end_suite(self, data: Any, result: Any) -> None:
        """Stops what the suite started; the log takes only warnings now."""
        reporting.log_ended(self.state.leave_faults(data.id))
        reporting.log_stopped(self.state.leave(data.id))
        self._settle_captures(data, result)

    def close(self) -> None:
        """Stops everything at the end of the run."""
        self.state.close()

    def _run_on_failure(self) -> None:
        keyword = self.state.defaults.on_failure
        if isinstance(keyword, FailureKeyword):
            _run_keyword(keyword)

    def _settle_captures(self, data: Any, result: Any) -> None:
        settled = self.state.captures.leave(data.id, has_failed=result.failed)
        reporting.log_settled(settled)

    def _write_failure(self) -> None:
        self._run_on_failure()
        self._journal.write_failure(self.state.watch_scope(), has_server=self.state.is_running())


def _run_keyword(keyword: FailureKeyword) -> None:
    """Runs a keyword of the user; if it fails, that is a warning: the test has failed already."""
    try:
        BuiltIn().run_keyword(keyword.name, *keyword.arguments)
    except Exception as error:  # As Robot Framework raises it, of many types.
        logger.warn(f"The keyword '{keyword.name}' of on_failure= failed: {error}")


def _is_of_suite(result: Any) -> bool:
    """Whether a keyword is the setup or the teardown of a suite: its tests fail with it."""
    return result.type in ("SETUP", "TEARDOWN") and hasattr(result.parent, "suites")
