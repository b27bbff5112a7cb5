"""Faults of the ways a text comes in by, and of what comes back."""

import json
import ssl
import threading

import httpx
from fault import Fault
from house import TWILIO_TOKEN
from phone import TwilioPhone, WebhookPhone
from tls_front import TlsFront


class WanDown(Fault):
    number, what = "F1", "no way to the internet: no provider reaches the house"

    def inject(self, site):
        site.broken |= {"twilio", "second"}


class CertificateExpired(Fault):
    number, what = "F3", "the certificate before the first address has expired; the provider goes on to its fallback address"

    def prepare(self, site):
        site.extra["fallback"] = (
            f'[[killswitch.channels]]\nname = "fallback"\nkind = "twilio"\npublic_url = "https://other.example.org/hook"\n'
            f'secret_file = {json.dumps(site.secret("fallback.token", TWILIO_TOKEN))}'
        )
        site.write_config()

    def inject(self, site):
        self.front = TlsFront(site.folder, site.ports["killswitch"])
        fallback = TwilioPhone(site.kill_switch, "fallback", "https://other.example.org/hook", TWILIO_TOKEN)

        def as_the_provider_does():
            text = site.message()
            try:
                trusted = ssl.create_default_context(cafile=str(self.front.certificate))
                httpx.post(f"{self.front.address}/v1/inbound/twilio", data={"Body": text}, verify=trusted, timeout=5, trust_env=False)
            except httpx.ConnectError as why:
                assert "expired" in str(why), why
                return fallback.text(text)
            raise AssertionError("an expired certificate was taken")

        site.by_twilio = as_the_provider_does

    def mend(self, site):
        if hasattr(self, "front"):
            self.front.close()


class ProviderDown(Fault):
    number, what = "F4", "the SMS provider is down"

    def inject(self, site):
        site.broken |= {"twilio"}


class OwnPhoneLost(Fault):
    number, what = "F21", "the owner's phone is lost: a borrowed one and a card"

    def inject(self, site):
        site.proof = "card"
        site.sender = "+819012345678"


class Flood(Fault):
    number, what = "F17", "thousands of forged webhooks a second"

    def inject(self, site):
        self.over = threading.Event()
        address = f"{site.kill_switch}/v1/inbound/twilio"

        def pour():
            with httpx.Client(trust_env=False, timeout=5) as client:
                while not self.over.is_set():
                    try:
                        client.post(address, data={"Body": "KILL ALL 12345678", "MessageSid": "SM1"}, headers={"X-Twilio-Signature": "AAAA"})
                    except httpx.HTTPError:
                        pass

        self.threads = [threading.Thread(target=pour, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def mend(self, site):
        if hasattr(self, "over"):
            self.over.set()
            for thread in self.threads:
                thread.join(10)


class LockOut(Fault):
    number, what = "F18", "wrong codes until single codes no longer count"

    def inject(self, site):
        if "killswitch" in site.dead:
            return
        phone = WebhookPhone(site.kill_switch, (site.data / "killswitch" / "channels" / "local.secret").read_text().strip())
        for number in range(14):
            try:
                phone.post(f"KILL ALL {10_000_000 + 7919 * number}")
            except httpx.TimeoutException:
                return  # the kill switch hangs by another fault, and hears no wrong codes
        if site.proof == "code":
            site.proof = "two"
