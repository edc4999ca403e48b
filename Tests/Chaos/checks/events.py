"""The outbox: every committed event has come, in order, to each device that came back for it (contract 6.4)."""

from __future__ import annotations

import json

from Chaos.device import Device
from Chaos.records import Records


def lacking(device: Device, rows: dict[int, dict]) -> list[dict]:
    """What a device has not had and is not spared."""
    return [
        row
        for number, row in rows.items()
        if number not in device.events and not spared(device, row)
    ]


def spared(device: Device, row: dict) -> bool:
    """The device, or a connection of it, caused the event."""
    if row["origin_device"] is not None and row["origin_device"] == device.name:
        return True
    return row["origin_connection"] in device.connection_ids


def check(devices: list[Device], outbox: dict[str, dict[int, dict]], records: Records) -> None:
    for device in devices:
        rows = outbox[device.person.id]
        for row in lacking(device, rows):
            records.violation("every event reaches every device", f"{device} without {row}")
        for number, came in device.events.items():
            row = rows.get(number)
            if row is None:
                records.violation(
                    "an event that was sent was committed", f"{device} {number}: {came}"
                )
            elif came != (row["event_type"], json.loads(row["data"])):
                records.violation("an event is what was committed", f"{device}: {came}, {row}")
