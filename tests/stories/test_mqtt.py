"""A broker in the house: buttons that cut, sensors that show, texts that may cut and never restore."""

import json
import subprocess

import pytest
from broker import Broker, missing
from waiting import until

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()} is not installed (Debian: mosquitto mosquitto-clients)")


@pytest.fixture
def broker(tmp_path):
    one = Broker(tmp_path)
    yield one
    one.child.kill()


def listening(house, broker):
    """The usual house with the broker among its channels, shown as online there."""
    secret = house.secret("mqtt.password", broker.passwords["portcullis"])
    channel = f"""
[[killswitch.channels]]
name = "mqtt"
kind = "mqtt"
broker = "mqtt://127.0.0.1:{broker.port}"
user = "portcullis"
secret_file = {json.dumps(secret)}
buttons = "ALL LLM"
"""
    house.config.write_text(house.config.read_text() + channel)
    house.start()
    return until_online(house, broker)


def until_online(house, broker):
    topic = "portcullis/house/availability"
    until("the panel to be online", lambda: broker.retained(topic).get(topic) == "online")
    return house


@pytest.fixture
def house(build, scripted, broker):
    return listening(build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])]), broker)


def state_of(broker, scope):
    topic = f"portcullis/house/state/{scope}"
    return broker.retained(topic).get(topic)


def channel_of(house):
    return next(one for one in house.state()["channels"] if one["name"] == "mqtt")


def test_home_assistant_finds_buttons_that_cut_and_sensors_that_show(house, broker):
    found = broker.retained("homeassistant/#")
    button = found["homeassistant/button/portcullis_house/all/config"]
    sensor = found["homeassistant/binary_sensor/portcullis_house/chat/config"]
    assert "homeassistant/button/portcullis_house/chat/config" not in found, "only the scopes that were given a button"
    for thing in found.values():
        assert thing["availability_topic"] == "portcullis/house/availability"
        assert thing["device"]["identifiers"] == ["portcullis_house"]
        assert "restore" not in json.dumps(thing).lower()
    assert len({thing["unique_id"] for thing in found.values()}) == len(found)
    assert state_of(broker, "chat") == {"state": "open", "incident": None}

    # What the panel publishes is what the announcement says, not what this test knows.
    broker.publish(button["command_topic"], button["payload_press"])
    until("the cut", lambda: house.cut_scopes() == ["ALL"])
    assert house.code_of_models() == "cut"
    incident = house.state()["latches"][0]["incident"]
    shown = until("the sensor", lambda: broker.retained(sensor["state_topic"])[sensor["state_topic"]]["state"] == "cut")
    assert shown
    assert state_of(broker, "all") == {"state": "cut", "incident": incident}


def test_every_press_is_a_press_of_its_own(house, broker):
    local, app = house.generic(), house.app()
    broker.press("llm")
    until("the cut", lambda: house.cut_scopes() == ["LLM"])
    first = house.state()["latches"][0]["incident"]
    assert local.text(f"RESTORE LLM {app.restore()}").startswith("RESTORED LLM")
    until("the sensor to be open", lambda: state_of(broker, "llm")["state"] == "open")
    broker.press("llm")
    until("the second cut", lambda: house.cut_scopes() == ["LLM"])
    assert house.state()["latches"][0]["incident"] > first


def test_a_press_the_broker_kept_cuts_nothing(house, broker):
    house.stop()
    topic = "portcullis/house/availability"
    until("the panel to be offline", lambda: broker.retained(topic)[topic] == "offline")
    broker.press("all", "-r")
    house.start()
    until_online(house, broker)
    broker.press("llm")
    until("the cut by the press that is none of the past", lambda: house.cut_scopes() == ["LLM"])
    # Clearing what was kept is no press either; a text after it shows that it was read.
    broker.publish("portcullis/house/cut/all", "", "-r")
    child, heard = broker.listen("portcullis/house/reply")
    broker.say(f"KILL agent {house.app().kill()}")
    until("the reply", heard)
    child.kill()
    assert sorted(house.cut_scopes()) == ["LLM", "agent"]


def test_only_who_may_publish_can_press(house, broker):
    broker.press("all", user="lamp")
    broker.press("llm")
    until("the cut", lambda: house.cut_scopes())
    assert house.cut_scopes() == ["LLM"]


def test_a_text_may_cut_and_is_answered_but_never_restores(house, broker):
    app = house.app()
    child, heard = broker.listen("portcullis/house/reply")
    broker.say(f"KILL ALL {app.kill()}", id="ha", **{"from": "kitchen"})
    reply = json.loads(until("the reply", heard)[0])
    assert reply["to"] == "kitchen" and reply["text"].startswith("CUT ALL"), reply
    assert house.cut_scopes() == ["ALL"]
    entries = house.state()["journal"]
    broker.say(f"RESTORE ALL {app.restore()}", id="ha")
    until("the text to be journaled", lambda: house.state()["journal"] > entries)
    assert house.cut_scopes() == ["ALL"]
    assert house.code_of_models() == "cut"
    child.kill()


def test_a_broker_that_goes_and_comes_back_is_listened_to_again(house, broker):
    broker.stop()
    until("the problem to be told", lambda: channel_of(house)["problem"])
    house.cut("chat")
    broker.start()
    until_online(house, broker)
    until("the problem to be gone", lambda: channel_of(house)["problem"] is None)
    until("the sensor", lambda: state_of(broker, "chat")["state"] == "cut")
    broker.press("all")
    until("the cut", lambda: "ALL" in house.cut_scopes())


def certificates(folder):
    """An authority of the house, and by it a certificate each for the broker and its clients."""

    def run(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=House", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("broker", "portcullis", "panel", "stranger"):
        (folder / "names").write_text("subjectAltName=DNS:localhost\n")
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", f"{name}.pem")
    return folder


def test_a_certificate_of_its_own_lets_it_in(build, scripted, tmp_path):
    tls = tmp_path / "tls"
    tls.mkdir()
    broker = Broker(tmp_path, certificates(tls))
    house = build([("lab", "local", scripted)], [("chat", ["*"], ["lab"])])
    channel = f"""
[[killswitch.channels]]
name = "mqtt"
kind = "mqtt"
broker = "mqtts://localhost:{broker.port}"
ca_file = "{tls}/ca.pem"
client_certificate_file = "{tls}/portcullis.pem"
client_key_file = "{tls}/portcullis.key"
buttons = "ALL"
"""
    house.config.write_text(house.config.read_text() + channel)
    try:
        house.start()
        until_online(house, broker)
        broker.press("all")
        until("the cut", lambda: house.cut_scopes() == ["ALL"])
    finally:
        broker.child.kill()
