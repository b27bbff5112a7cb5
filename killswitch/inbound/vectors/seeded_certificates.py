"""Certificates for the vectors of SNS, the same at every run: keys grow from a name, dates are fixed. No key stands in a file."""

import datetime
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

EXPONENT = 65537
SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
UNTIL = datetime.datetime(2027, 12, 31, tzinfo=datetime.timezone.utc)


def probably_prime(number, chance):
    """Miller and Rabin; a number from a seed is no attacker's."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(24):
        x = pow(chance.randrange(2, number - 1), odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(twos - 1):
            x = pow(x, 2, number)
            if x == number - 1:
                break
        else:
            return False
    return True


def seeded_key(name, bits=2048):
    """An RSA key that everybody can make again: worth nothing but for tests."""
    chance = random.Random(f"portcullis vectors {name}")

    def prime():
        while True:
            number = chance.getrandbits(bits // 2) | (3 << (bits // 2 - 2)) | 1
            small = any(number % p == 0 for p in (3, 5, 7, 11, 13, 17, 19, 23))
            if not small and number % EXPONENT != 1 and probably_prime(number, chance):
                return number

    p, q = prime(), prime()
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public)
    return numbers.private_key()


class Holder:
    """A key and the certificate for it."""

    def __init__(self, name, issuer=None, host=None, since=SINCE, until=UNTIL, bits=2048):
        self.key = seeded_key(name, bits)
        self.subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = issuer or self
        serial = random.Random(f"serial {name}").getrandbits(120)
        builder = (
            x509.CertificateBuilder().subject_name(self.subject).issuer_name(issuer.subject).public_key(self.key.public_key())
            .serial_number(serial).not_valid_before(since).not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host:
            usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            builder = builder.add_extension(usage, critical=False)
        self.certificate = builder.sign(issuer.key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, text, algorithm=None):
        return self.key.sign(text.encode(), padding.PKCS1v15(), algorithm or hashes.SHA256())
