"""A real gammu-smsd whose phone is gammu's own dummy: texts put into a folder are received, texts sent land in another."""

import shutil
import time
from pathlib import Path

from waiting import Child, until

CONFIG = """
[gammu]
model = dummy
connection = none
device = {folder}/phone
gammuloc = /dev/null

[smsd]
service = files
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/error/
inboxformat = unicode
logfile = {folder}/smsd.log
debuglevel = 255
CommTimeout = 1
SendTimeout = 5
ReceiveFrequency = 1
MultipartTimeout = 5
CheckSecurity = 0
CheckBattery = 0
CheckSignal = 0
CheckNetwork = 0
HangupCalls = 0
{run}
"""


def missing():
    return next((name for name in ("gammu-smsd",) if not shutil.which(name)), None)


class ModemStick:
    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("phone", "phone/sms", "phone/sms/1", "inbox", "outbox", "sent", "error"):
            (self.folder / name).mkdir()
        self.child, self.runs = None, 0

    def start(self, run=None):
        """`run` is the line of `RunOnReceive`."""
        line = f"RunOnReceive = {run}" if run else ""
        config = self.folder / "smsdrc"
        config.write_text(CONFIG.format(folder=self.folder, run=line))
        self.runs += 1
        self.child = Child(["gammu-smsd", "-c", config], self.folder, f"gammu-smsd-{self.runs}")
        return self

    def receive(self, sender, text, place=1):
        """A text arrives; the form is gammu-smsbackup(5)."""
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() + 3600))
        digits = text.encode("utf-16-be").hex().upper()
        lines = ["[SMSBackup000]", 'SMSC = "+15550000"', "PDU = Deliver", f"DateTime = {stamp}", "State = UnRead"]
        lines += [f"NumberUnicode = {sender.encode('utf-16-be').hex().upper()}", f'Number = "{sender}"']
        lines += [f"Text{at // 200:02d} = {digits[at : at + 200]}" for at in range(0, len(digits), 200)]
        lines += ["Coding = Default_No_Compression", "Folder = 1", f"Length = {len(text)}", "Class = -1", "MessageReference = 0"]
        there = self.folder / "phone/sms/1" / str(place)
        hidden = there.with_name(f".{place}")
        hidden.write_text("\n".join(lines) + "\n")
        hidden.rename(there)

    def sent(self):
        """Number and text of every text that was sent, in the order of their files."""
        found = []
        for path in sorted((self.folder / "sent").glob("OUT*")):
            found.append((path.name.split("_")[1], path.read_bytes().decode("utf-16")))
        return found

    def inbox(self):
        return list((self.folder / "inbox").iterdir())

    def wait_empty(self):
        until("the inbox folder to be empty", lambda: not self.inbox())

    def stop(self):
        if self.child:
            self.child.stop()
