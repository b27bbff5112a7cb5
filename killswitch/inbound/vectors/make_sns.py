"""Amazon SNS: RSA over names and values, a line each, by AWS's definition (no library of AWS's checks it in Python), with
`cryptography` holding the keys; the certificates are our own. The string that is signed is put together here from the
document `sns-verify-signature-of-message`, not from the code under test."""

import base64
import datetime
import json

from cryptography.hazmat.primitives import hashes
from seeded_certificates import Holder
from vector_file import NOW, text, write

ARN = "arn:aws:sns:eu-west-1:123456789012:texts"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERT = f"{HOST}/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
ID = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"

ROOT = Holder("Portcullis test root")
BETWEEN = Holder("Portcullis test authority", ROOT)
LEAF = Holder("sns.amazonaws.com", BETWEEN, "sns.amazonaws.com")
NEXT = Holder("sns.amazonaws.com next", BETWEEN, "sns.eu-west-1.amazonaws.com")
OLD = Holder("sns.amazonaws.com old", BETWEEN, "sns.amazonaws.com", until=datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc))
STRANGER = Holder("sns.amazonaws.com stranger", BETWEEN, "sns.amazonaws.com")

SETTINGS = {"topic_arn": ARN, "certificate_file": LEAF.pem + BETWEEN.pem, "roots_file": ROOT.pem}
NOTIFIED = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
CONFIRMED = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.123Z")


def sms(said="KILL 12345678", number="+4915112345678", **more):
    return json.dumps({
        "originationNumber": number, "destinationNumber": "+12125550101", "messageKeyword": "KEYWORD_123456789012",
        "messageBody": said, "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84", **more,
    }, ensure_ascii=False, separators=(",", ":"))


def signature(envelope, holder, algorithm=None):
    names = NOTIFIED if envelope["Type"] == "Notification" else CONFIRMED
    lines = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    return base64.b64encode(holder.sign(lines, algorithm)).decode()


def loose(envelope):
    """The lines AWS sends unsigned: changed or not, what comes out must be the same."""
    names = [name for name in ("SigningCertURL", "UnsubscribeURL", "SequenceNumber") if name in envelope]
    return [f"{json.dumps(name)} : {json.dumps(envelope[name], ensure_ascii=False)}" for name in names]


def sns(name, expect, fields=None, drop=(), at=NOW, holder=LEAF, settings=None, algorithm=None, after=None):
    envelope = {
        "Type": "Notification", "MessageId": ID, "TopicArn": ARN, "Message": sms(), "Timestamp": stamp(at),
        "SignatureVersion": "2", "SigningCertURL": CERT,
        "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={ARN}:c9135db0-26c4-47ec-8998-413945fb5a96",
    } | (fields or {})
    envelope = {key: value for key, value in envelope.items() if key not in drop}
    envelope["Signature"] = signature(envelope, holder, algorithm)
    envelope |= after or {}
    # As SNS writes it: a name and a value a line.
    body = "{\n  " + ",\n  ".join(f"{json.dumps(k)} : {json.dumps(v, ensure_ascii=False)}" for k, v in envelope.items()) + "\n}"
    return {"name": name, "secrets": [], "settings": settings or {}, "now": NOW, "query": None, "headers": {},
            "body": body, "loose": loose(envelope), "expect": expect}


def confirmation(name, expect, kind="SubscriptionConfirmation", url=f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37", **more):
    fields = {"Type": kind, "Token": "2336412f37", "SubscribeURL": url,
              "Message": f"You have chosen to subscribe to the topic {ARN}.\nTo confirm the subscription, visit the SubscribeURL included in this message."}
    return sns(name, expect, fields, drop=("UnsubscribeURL",), **more)


def said(words="KILL 12345678", number="+4915112345678"):
    return text(words, number, ID)


# Where a message may say its certificate lies, to be fetched or believed by a careless reader.
HOSTILE = [
    "http://sns.eu-west-1.amazonaws.com/a.pem", "https://evil.example/a.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
    "https://evil.example#sns.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
    "https://user:pw@sns.eu-west-1.amazonaws.com/a.pem", "https://sns.us-east-1.amazonaws.com/a.pem",
    "https://sns.eu-west-1.amazonaws.com.cn/a.pem", "https://sns-eu-west-1.s3.amazonaws.com/a.pem",
    "https://s3.amazonaws.com/sns.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com/a.crt",
    "https://sns.eu-west-1.amazonaws.com/?Action=Publish&x=.pem", "https://sns.eu-west-1.amazonaws.com/../a.pem",
    "https://sns.eu-west-1.amazonaws.com/redirect?to=https://evil.example/a.pem", "https://sns.eu-west-1.amazonaws.com//evil.example/a.pem",
    "https://sns.eu-west-1.amazonaws.com/a.pem#x", "https://sns.eu-west-1.amazonaws.com/%2e%2e/a.pem",
    "https://SNS.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com\\@evil.example/a.pem",
    "https://sns.eu-west-1.amazonaws.com/.pem", "https://sns.eu-west-1.amazonaws.com/a.pem\n", "//sns.eu-west-1.amazonaws.com/a.pem",
    "file:///etc/ssl/a.pem", "https:/sns.eu-west-1.amazonaws.com/a.pem", "https://\u0455ns.eu-west-1.amazonaws.com/a.pem", "",
]

write("sns", fresh=86_400, settings=SETTINGS, vectors=[
    sns("posted", said()),
    sns("with a subject", said(), {"Subject": "texts"}),
    sns("unicode", said("KILL １２３４５６７８ ü\n\"x\""), {"Message": sms("KILL １２３４５６７８ ü\n\"x\"")}),
    sns("fields added later", said(), {"SequenceNumber": "1", "Message": sms(previousPublishedMessageId="x")}),
    sns("no number", said(number=None), {"Message": json.dumps({"messageBody": "KILL 12345678"})}),
    sns("out of a queue a day later", said(), at=NOW - 86_400),
    sns("next certificate during rotation", said(), holder=NEXT, settings={"next_certificate_file": NEXT.pem + BETWEEN.pem}),
    sns("certificate that ran out beside its successor", said(), holder=NEXT,
        settings={"certificate_file": OLD.pem + BETWEEN.pem, "next_certificate_file": NEXT.pem + BETWEEN.pem}),
    confirmation("subscribed", {"confirm": f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37"}),
    confirmation("subscription ended", {"confirm": f"{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37"}, "UnsubscribeConfirmation"),
    confirmation("link to another host", "content", url="https://evil.example/?Action=ConfirmSubscription&Token=1"),
    confirmation("link that does something else", "content", url=f"{HOST}/?Action=Publish&Message=x"),
    confirmation("link with a line end", "content", url=f"{HOST}/?Action=ConfirmSubscription&Token=1\nToken\nx"),
    sns("older than a day", "stale", at=NOW - 86_402),
    sns("a day ahead", "stale", at=NOW + 86_402),
    sns("first version of the signature", "signature", {"SignatureVersion": "1"}, algorithm=hashes.SHA1()),
    sns("second version that is SHA-1", "signature", algorithm=hashes.SHA1()),
    sns("no version", "content", drop=("SignatureVersion",)),
    sns("certificate of the same authority that is not ours", "signature", holder=STRANGER),
    sns("certificate that ran out", "certificate", holder=OLD, settings={"certificate_file": OLD.pem + BETWEEN.pem}),
    sns("another topic", "address", {"TopicArn": ARN + "x"}),
    sns("another account", "address", {"TopicArn": ARN.replace("123456789012", "999999999999")}),
    sns("signature of nothing", "signature", after={"Signature": ""}),
    sns("text changed", "signature", after={"Message": sms("KILL 87654321")}),
    sns("subject added", "signature", after={"Subject": "x"}),
    sns("unknown type", "content", {"Type": "Confirmation"}),
    sns("id with a line end", "content", {"MessageId": "1\nTimestamp"}),
    sns("time that is none", "content", {"Timestamp": "yesterday"}),
    sns("message that is no text", "content", {"Message": "KILL 12345678"}),
    sns("message without a text", "content", {"Message": json.dumps({"originationNumber": "+1"})}),
    *(sns(f"certificate at {url!r}", "signature", {"SigningCertURL": url}) for url in HOSTILE),
])
