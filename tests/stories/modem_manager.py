"""A bus of the story's own, and on it ModemManager with one modem, written from its interface description with another
D-Bus library than ours."""

import asyncio
import shutil
import threading
import time

from dbus_fast import BusType, Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal
from waiting import Child, until

MODEM = "/org/freedesktop/ModemManager1/Modem/0"
MESSAGING = "org.freedesktop.ModemManager1.Modem.Messaging"
RECEIVING, RECEIVED = 2, 3
POLICY = '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'


def missing():
    return next((name for name in ("dbus-daemon",) if not shutil.which(name)), None)


class Sms(ServiceInterface):
    def __init__(self, modem, number, text, state, stamp=""):
        super().__init__("org.freedesktop.ModemManager1.Sms")
        self.modem, self.values = modem, dict(number=number, text=text, state=state, stamp=stamp)

    @dbus_method()
    def Send(self):
        self.modem.sent.append((self.values["number"], self.values["text"]))

    @dbus_property(PropertyAccess.READ)
    def State(self) -> "u":
        return self.values["state"]

    @dbus_property(PropertyAccess.READ)
    def PduType(self) -> "u":
        return 1

    @dbus_property(PropertyAccess.READ)
    def Number(self) -> "s":
        return self.values["number"]

    @dbus_property(PropertyAccess.READ)
    def Text(self) -> "s":
        return self.values["text"]

    @dbus_property(PropertyAccess.READ)
    def SMSC(self) -> "s":
        return "+15550000"

    @dbus_property(PropertyAccess.READ)
    def Timestamp(self) -> "s":
        return self.values["stamp"]


class Messaging(ServiceInterface):
    def __init__(self, modem):
        super().__init__(MESSAGING)
        self.modem = modem

    @dbus_method()
    def List(self) -> "ao":
        return list(self.modem.texts)

    @dbus_method()
    def Create(self, properties: "a{sv}") -> "o":
        return self.modem.put(Sms(self.modem, properties["number"].value, properties["text"].value, 0))

    @dbus_method()
    def Delete(self, path: "o"):
        self.modem.bus.unexport(path, self.modem.texts.pop(path))

    @dbus_signal()
    def Added(self, path, received) -> "ob":
        return [path, received]


class ModemManager:
    """Runs on a thread of its own until `stop`."""

    def __init__(self, folder):
        self.address = f"unix:path={folder}/bus"
        config = folder / "bus.conf"
        config.write_text(f'<busconfig><listen>{self.address}</listen><auth>EXTERNAL</auth><policy context="default">{POLICY}</policy></busconfig>')
        self.daemon = Child(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"], folder, "dbus-daemon")
        until("the bus", (folder / "bus").exists)
        self.texts, self.sent, self.next = {}, [], 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.run(self.begin())

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def begin(self):
        self.bus = await MessageBus(bus_address=self.address, bus_type=BusType.SYSTEM).connect()
        self.messaging = Messaging(self)
        self.bus.export(MODEM, self.messaging)
        self.bus.add_message_handler(self.modems)
        await self.bus.request_name("org.freedesktop.ModemManager1")

    def modems(self, message):
        """What is at the root: one modem that takes texts."""
        if message.message_type is not MessageType.METHOD_CALL or message.member != "GetManagedObjects":
            return None
        storages = {"SupportedStorages": Variant("au", [1, 2])}
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [{MODEM: {MESSAGING: storages}}])

    def put(self, sms):
        path = f"/org/freedesktop/ModemManager1/SMS/{self.next}"
        self.next += 1
        self.texts[path] = sms
        self.bus.export(path, sms)
        return path

    def receive(self, number, text, signal=True, whole=True, delayed=0):
        """A text arrives; `delayed` says how many seconds ago the network took it from its sender."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+01:00", time.gmtime(time.time() + 3600 - delayed))

        async def arrive():
            sms = Sms(self, number, text if whole else "", RECEIVED if whole else RECEIVING, stamp)
            path = self.put(sms)
            if signal:
                self.messaging.Added(path, True)
            return sms

        return self.run(arrive())

    def complete(self, sms, text):
        async def arrive():
            sms.values.update(text=text, state=RECEIVED)
            sms.emit_properties_changed({"State": RECEIVED})

        self.run(arrive())

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.daemon.stop()
