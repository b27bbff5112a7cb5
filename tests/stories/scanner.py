"""An authenticator app that was pointed at a page: reads the QR codes that stand there with a real scanner, and nothing else."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import numpy
import zxingcpp
from phone import Authenticator

FIGURE = re.compile(r"<figcaption><strong>([^<]+)</strong>.*?(<svg.*?</svg>)", re.DOTALL)
SQUARE = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)")


def seen(svg):
    """What a scanner reads off one picture: dark squares on white, as the page draws them."""
    width, height = (int(figure) for figure in re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    picture = numpy.full((height, width), 255, dtype=numpy.uint8)
    for x, y, wide, high in (tuple(int(it) for it in square) for square in SQUARE.findall(svg)):
        picture[y : y + high, x : x + wide] = 0
    [code] = zxingcpp.read_barcodes(picture)
    return code.text


class Scanned(Authenticator):
    """The app of somebody who has scanned every key of a page."""

    def __init__(self, page):
        self.keys = {}
        for label, svg in FIGURE.findall(page):
            url = urlsplit(seen(svg))
            assert url.scheme == "otpauth" and url.netloc == "totp" and unquote(url.path).endswith(f" {label}"), url.path
            said = {name: values[0] for name, values in parse_qs(url.query).items()}
            self.keys[label] = {"secret": said["secret"], "digits": int(said["digits"])}

    def kill(self, later=0):
        return self.code("KILL", later)

    def restore(self, later=1):
        return self.code("RESTORE", later)
