"""A client in the middle of a stream: reads in a thread of its own and remembers how it ended."""

import json
import threading
import time

import httpx
from openai import APIError
from waiting import until

QUESTION = [{"role": "user", "content": "Count from 1 to 500 in words, one number on each line."}]

# So long that no story sees the end: half an hour at the pace of `steady`, minutes at that of `trickle`, on the fastest machine too.
ENDLESS = {"max_tokens": 100_000}


class SdkStream:
    """The official client, reading a stream until it ends. `asked`: how much is asked for, as the upstream takes it."""

    def __init__(self, client, model, asked=None):
        self.chunks, self.error, self.ended = 0, None, None
        self.stream = client.chat.completions.create(model=model, stream=True, messages=QUESTION, **(asked or ENDLESS))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for _ in self.stream:
                self.chunks += 1
        except APIError as error:
            self.error = error
        self.ended = time.monotonic()

    def flowing(self, chunks=3):
        until(f"{chunks} chunks", lambda: self.chunks >= chunks, 60)
        assert self.ended is None, f"the stream ended by itself: {self.error!r}"
        return self

    def end(self, limit=5):
        self.thread.join(limit)
        assert self.ended is not None, f"the stream still runs {limit} s later, after {self.chunks} chunks"
        return self


class RawStream:
    """The bytes themselves: whether they end as a well-formed event and a clean close."""

    def __init__(self, house, model="steady", consumer=None, max_tokens=ENDLESS["max_tokens"]):
        key = house.keys[consumer or house.consumers[0][0]]
        body = {"model": model, "stream": True, "max_tokens": max_tokens, "messages": QUESTION}
        self.text, self.broken, self.ended = "", None, None
        self.client = httpx.Client(timeout=60, trust_env=False)
        request = self.client.build_request(
            "POST", f"{house.gateway}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}
        )
        self.answer = self.client.send(request, stream=True)
        assert self.answer.status_code == 200, self.answer.read()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for text in self.answer.iter_text():
                self.text += text
        except httpx.TransportError as error:
            self.broken = error
        self.ended = time.monotonic()
        self.client.close()

    def flowing(self, events=3):
        until(f"{events} events", lambda: self.text.count("data: ") >= events, 30)
        assert self.ended is None, f"the stream ended by itself: {self.text[-300:]!r} {self.broken!r}"
        return self

    def end(self, limit=5):
        self.thread.join(limit)
        assert self.ended is not None, f"the stream still runs {limit} s later"
        return self

    def events(self):
        return [part.removeprefix("data: ") for part in self.text.split("\n\n") if part]

    def last(self):
        """The last event; every event before it must be whole."""
        assert self.broken is None, f"no clean close: {self.broken!r}"
        assert self.text.endswith("\n\n"), f"half an event at the end: {self.text[-200:]!r}"
        events = [json.loads(event) for event in self.events() if event != "[DONE]"]
        return events[-1]
