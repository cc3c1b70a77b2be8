"""The classes for labgrid: a place names the lab host of its board."""

from __future__ import annotations

import attr
from labgrid.driver import Driver
from labgrid.factory import target_factory
from labgrid.resource import Resource

_TEXT = attr.validators.instance_of(str)


@target_factory.reg_resource
@attr.s(eq=False)
class TftpLab(Resource):
    """Where the board of a place is served from.

    Attributes:
        lab: the lab host, as `lab=` takes it.
        client: the board, as `clients=` takes it.
    """

    lab = attr.ib(validator=_TEXT)
    client = attr.ib(default="", validator=_TEXT)


@target_factory.reg_driver
@attr.s(eq=False)
class TftpLabDriver(Driver):
    """Names the lab host and the board of a place for the suite: see `labgrid-client export`."""

    bindings = {"place": TftpLab}  # noqa: RUF012 - labgrid reads it so.

    def get_export_vars(self) -> dict[str, str]:
        """Returns what become the variables LG__TFTPLABDRIVER_LAB and LG__TFTPLABDRIVER_CLIENT."""
        return {"lab": self.place.lab, "client": self.place.client}
