"""A realtime session of the official client: it speaks, is cut in the middle, and speaks again after the restore."""

import threading

import pytest
from openai import OpenAI
from phone import proven
from test_meter import settled
from waiting import until
from websockets.exceptions import ConnectionClosed, InvalidStatus

SHORT, LONG = {"max_output_tokens": 3}, {"max_output_tokens": 100_000}


class Session:
    """One session, read in a thread of its own."""

    def __init__(self, house, asked):
        address = f"ws://127.0.0.1:{house.ports['gateway']}/v1"
        client = OpenAI(api_key=house.keys["agent"], base_url=f"{house.gateway}/v1", websocket_base_url=address)
        self.events, self.closed = [], None
        self.connection = client.realtime.connect(model="steady").enter()
        self.connection.response.create(response=asked)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            while True:
                self.events.append(self.connection.recv())
        except ConnectionClosed as closed:
            self.closed = closed.rcvd

    def heard(self, kind):
        return [event for event in self.events if event.type == kind]


@pytest.fixture
def session(house):
    opened = []

    def one(**asked):
        opened.append(Session(house, asked))
        return opened[-1]

    yield one
    for each in opened:
        each.connection.close()


def test_the_official_client_speaks_is_cut_in_the_middle_and_speaks_again(house, session):
    whole = session(**SHORT)
    (done,) = until("an answer", lambda: whole.heard("response.done"))
    assert done.response.usage.output_tokens == 3, done
    long = session(**LONG)
    until("an answer in the middle", lambda: len(long.events) > 6)
    incident, streams = proven(house.twilio().text(f"KILL {house.app().kill()}"), "ALL")
    assert streams == 2
    for each in (whole, long):
        until("the end of the session", lambda each=each: each.closed, 5)
        (error,) = each.heard("error")
        assert error.error.code == "cut" and f"incident #{incident}" in error.error.message, error
        assert (each.closed.code, each.closed.reason) == (1008, "cut")
    with pytest.raises(InvalidStatus) as refused:
        session(**SHORT)
    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["x-portcullis-incident"] == str(incident)
    assert house.twilio().text(f"RESTORE ALL {house.app().restore()}").startswith("RESTORED ALL")
    again = session(**SHORT)
    until("an answer", lambda: again.heard("response.done"))
    rows = settled(house, 2)
    assert [(row["api"], row["ended"], row["incident"]) for row in rows] == [("openai.realtime", "cut", incident)] * 2
