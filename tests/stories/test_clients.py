"""The official clients, unmodified but for the address and the key: each completes, is cut, says so, and completes again."""

import hashlib
import json
import shutil
import subprocess
import threading
from pathlib import Path

import anthropic
import ollama
import openai
import pytest
from peers import REPO, ScriptedOllama
from waiting import until

ASK = [{"role": "user", "content": "Say something."}]
TOOL = {"name": "look", "description": "Looks at a place.", "parameters": {"type": "object", "properties": {"place": {"type": "string"}}}}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LONG = 100_000


@pytest.fixture
def clients(build, scripted):
    """A house whose one target speaks every API."""
    return build([("lab", "local", ScriptedOllama(scripted))], [("chat", ["*"], ["lab"])]).start()


class Openai:
    errors, name = openai.APIError, "chat"

    def __init__(self, house):
        self.client = house.openai()

    def complete(self):
        return self.client.chat.completions.create(model="steady", max_tokens=3, messages=ASK).choices[0].message.content

    def stream(self):
        return self.client.chat.completions.create(model="steady", max_tokens=LONG, messages=ASK, stream=True)


class Completions(Openai):
    name = "completions"

    def complete(self):
        return self.client.completions.create(model="steady", max_tokens=3, prompt="Say").choices[0].text

    def stream(self):
        return self.client.completions.create(model="steady", max_tokens=LONG, prompt="Say", stream=True)


class Responses(Openai):
    name = "responses"

    def complete(self):
        return self.client.responses.create(model="steady", max_output_tokens=3, input="Say").output_text

    def stream(self):
        return self.client.responses.create(model="steady", max_output_tokens=LONG, input="Say", stream=True)


class Messages:
    errors, name = anthropic.APIError, "messages"

    def __init__(self, house):
        self.client = house.anthropic()

    def complete(self):
        return self.client.messages.create(model="steady", max_tokens=3, messages=ASK).content[0].text

    def stream(self):
        return self.client.messages.create(model="steady", max_tokens=LONG, messages=ASK, stream=True)


class OllamaChat:
    errors, name = ollama.ResponseError, "ollama-chat"

    def __init__(self, house):
        self.client = house.ollama()

    def complete(self):
        return self.client.chat("steady", ASK, options={"num_predict": 3}).message.content

    def stream(self):
        return self.client.chat("steady", ASK, options={"num_predict": LONG}, stream=True)


class OllamaGenerate(OllamaChat):
    name = "ollama-generate"

    def complete(self):
        return self.client.generate("steady", "Say", options={"num_predict": 3}).response

    def stream(self):
        return self.client.generate("steady", "Say", options={"num_predict": LONG}, stream=True)


CLIENTS = [Openai, Completions, Responses, Messages, OllamaChat, OllamaGenerate]


class Reading:
    """One stream, read in a thread of its own until it ends."""

    def __init__(self, stream):
        self.pieces, self.error, self.done = 0, None, False
        self.thread = threading.Thread(target=self.read, args=(stream,), daemon=True)
        self.thread.start()

    def read(self, stream):
        try:
            for _ in stream:
                self.pieces += 1
        except Exception as error:  # which one is what the story asks
            self.error = error
        self.done = True


@pytest.mark.parametrize("kind", CLIENTS, ids=lambda kind: kind.name)
def test_a_client_completes_is_cut_in_the_middle_and_completes_after_restore(clients, kind):
    client = kind(clients)
    assert client.complete() == "w0 w1 w2 "
    reading = Reading(client.stream())
    until("some pieces", lambda: reading.pieces >= 6, 30)
    assert not reading.done, f"the stream ended by itself: {reading.error!r}"
    incident = clients.cut("LLM")["incident"]
    until("the end of the stream", lambda: reading.done, 5)
    assert isinstance(reading.error, kind.errors), repr(reading.error)
    assert f"incident #{incident}" in str(reading.error), str(reading.error)
    with pytest.raises(kind.errors, match=f"incident #{incident}") as refused:
        client.complete()
    assert refused.value.status_code == 503
    assert clients.twilio().text(f"RESTORE LLM {clients.app().restore()}").startswith("RESTORED")
    assert client.complete() == "w0 w1 w2 "


def test_everything_else_that_these_clients_ask_for_passes(clients, scripted):
    plain, claude, llama = clients.openai(), clients.anthropic(), clients.ollama()
    vectors = plain.embeddings.create(model="steady", input=["one", "two"]).data
    assert [len(vector.embedding) for vector in vectors] == [4, 4]
    assert len(llama.embed("steady", ["one", "two"]).embeddings) == 2
    tools = [{"type": "function", "function": TOOL}]
    call = plain.chat.completions.create(model="tool", messages=ASK, tools=tools).choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("look", {"place": "here"})
    offered = {"name": "look", "description": TOOL["description"], "input_schema": TOOL["parameters"]}
    use = claude.messages.create(model="tool", max_tokens=9, messages=ASK, tools=[offered]).content[0]
    assert (use.type, use.name, use.input) == ("tool_use", "look", {"place": "here"})
    call = llama.chat("tool", ASK, tools=tools, stream=False).message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("look", {"place": "here"})
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    shown = [{"role": "user", "content": [{"type": "text", "text": "What?"}, image]}]
    answer = plain.chat.completions.create(model="steady", max_tokens=2, messages=shown, response_format={"type": "json_object"})
    assert answer.usage.completion_tokens == 2
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    shown = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    assert claude.messages.create(model="steady", max_tokens=2, messages=shown).usage.output_tokens == 2
    assert llama.generate("steady", "What?", images=[PIXEL], options={"num_predict": 2}).eval_count == 2
    with claude.messages.stream(model="steady", max_tokens=4, messages=ASK) as stream:
        assert stream.get_final_text() == "w0 w1 w2 w3 "
    final = list(plain.responses.create(model="steady", max_output_tokens=4, input="Say", stream=True))[-1]
    assert (final.type, final.response.output_text) == ("response.completed", "w0 w1 w2 w3 ")


def asked_with_everything(plain, claude, llama):
    """Requests of each client, with tools, a picture and JSON mode where it has them."""
    tools = [{"type": "function", "function": TOOL}]
    offered = {"name": "look", "description": TOOL["description"], "input_schema": TOOL["parameters"]}
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}}
    picture = [{"role": "user", "content": [{"type": "text", "text": "What? ✓"}, image]}]
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    drawing = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    mode = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": TOOL["parameters"]}}
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"place": 1.50}'}}
    called = [*ASK, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "a", "content": "Nothing.\u2028"}]
    yield plain.chat.completions.create(model="steady", max_tokens=2, messages=picture, tools=tools, response_format=mode)
    yield plain.chat.completions.create(model="steady", max_tokens=2, messages=called, tools=tools, stream=False)
    yield plain.responses.create(model="steady", max_output_tokens=2, input="Say", text={"format": {"type": "json_object"}})
    yield claude.messages.create(model="steady", max_tokens=2, messages=drawing, tools=[offered], tool_choice={"type": "any"})
    yield list(claude.messages.create(model="steady", max_tokens=2, messages=drawing, stream=True))
    yield llama.chat("steady", [{**ASK[0], "images": [PIXEL]}], tools=tools, format=TOOL["parameters"])
    yield list(llama.generate("steady", "Say", images=[PIXEL], format="json", options={"num_predict": 2}, stream=True))


def test_tools_pictures_and_json_mode_arrive_byte_for_byte(clients, scripted):
    three, sent = (clients.openai(), clients.anthropic(), clients.ollama()), []
    for client in three:
        client._client.event_hooks["request"].append(lambda request: sent.append(hashlib.sha256(request.read()).hexdigest()))
    arrived = lambda: scripted.exchanges()[-1]["body_sha256"] == sent[-1]
    for number, answer in enumerate(asked_with_everything(*three), 1):
        assert answer and len(sent) == number
        until(f"request {number} in the upstream's log, as it was sent", arrived, 5)


def test_the_lists_that_these_clients_ask_for_are_answered(clients):
    names = [model.id for model in clients.openai().models.list()]
    assert "steady" in names
    assert clients.openai().models.retrieve("slow").id == "slow"
    assert [model.id for model in clients.anthropic().models.list()] == names
    assert [model.model for model in clients.ollama().list().models] == names
    assert clients.ollama().ps().models[0].model == names[0]
    assert "tools" in clients.ollama().show("steady").capabilities
    # Two paths of Ollama's that its client for Python asks for in an old way, or not at all.
    assert len(clients.ollama().embeddings("steady", "one").embedding) == 4
    assert clients.ollama()._client.get("/api/version").json()["version"]
    for client in (clients.openai(), clients.anthropic()):
        with pytest.raises((openai.NotFoundError, anthropic.NotFoundError)):
            client.models.retrieve("nothing-of-that-name")


def test_errors_before_a_stream_are_each_clients_own(clients):
    clients.routes = [("chat", ["steady"], ["lab"])]
    clients.write_config()
    clients.reload()
    until("the other routes", lambda: "slow" not in [model.id for model in clients.openai().models.list()], 10)
    with pytest.raises(openai.NotFoundError) as refused:
        clients.openai().chat.completions.create(model="other", messages=ASK, stream=True)
    assert refused.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError) as refused:
        clients.anthropic().messages.create(model="other", max_tokens=1, messages=ASK, stream=True)
    assert refused.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(ollama.ResponseError) as refused:
        list(clients.ollama().chat("other", ASK, stream=True))
    assert refused.value.status_code == 404
    refusals_of_the_target_and_of_a_limit(clients)
    clients.keys["agent"] = "pck_of_nobody"
    for ask, error in (
        (lambda: clients.openai().models.list(), openai.AuthenticationError),
        (lambda: clients.anthropic().models.list(), anthropic.AuthenticationError),
        (lambda: clients.ollama().list(), ollama.ResponseError),
    ):
        with pytest.raises(error):
            ask()


def refusals_of_the_target_and_of_a_limit(clients):
    """What a target says is passed on in its words; a limit is what each client knows as one."""
    clients.routes = [("chat", ["*"], ["lab"])]
    clients.rules = '[[gateway.limits]]\nname = "pace"\nrequests_per_minute = 3\n'
    clients.write_config()
    clients.reload()
    asks = [
        (lambda: clients.openai().chat.completions.create(model="error503", messages=ASK), openai.InternalServerError, openai.RateLimitError),
        (lambda: clients.anthropic().messages.create(model="error503", max_tokens=1, messages=ASK), anthropic.InternalServerError, anthropic.RateLimitError),
        (lambda: clients.ollama().chat("error503", ASK), ollama.ResponseError, ollama.ResponseError),
    ]
    until("the new limit", lambda: "limits=1" in clients.child.err.read_text(), 10)
    for ask, failed, _ in asks:
        with pytest.raises(failed) as refused:
            ask()
        assert refused.value.status_code == 503, refused.value
    for ask, _, limited in asks:
        with pytest.raises(limited, match="`pace` allows 3 requests a minute") as refused:
            ask()
        assert refused.value.status_code == 429, refused.value


@pytest.mark.parametrize("upstream", ["model"], indirect=True)
def test_a_real_model_answers_in_two_apis(build, upstream):
    house = build([("lab", "local", upstream)], [("chat", ["*"], ["lab"])]).start()
    ask = [{"role": "user", "content": "Say hello."}]
    plain = house.openai().chat.completions.create(model=upstream.model, max_tokens=12, messages=ask)
    assert plain.choices[0].message.content and plain.usage.completion_tokens > 0
    claude = house.anthropic().messages.create(model=upstream.model, max_tokens=12, messages=ask)
    assert claude.content[0].text and claude.usage.output_tokens > 0


NODE = """
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.env.BASE, apiKey: process.env.KEY, maxRetries: 0 });
const messages = [{ role: "user", content: "Say something." }];
const whole = await client.chat.completions.create({ model: "steady", max_tokens: 3, messages });
console.log(JSON.stringify({ whole: whole.choices[0].message.content }));
try {
  let pieces = 0;
  for await (const _ of await client.chat.completions.create({ model: "steady", max_tokens: 100000, messages, stream: true })) {
    if (++pieces === 6) console.log(JSON.stringify({ flowing: true }));
  }
  console.log(JSON.stringify({ ended: "by itself" }));
} catch (error) {
  console.log(JSON.stringify({ api: error instanceof OpenAI.APIError, message: String(error.message) }));
}
"""


def node_packages():
    """Where the `openai` package for Node is; where it is not, the story says so."""
    for folder in (Path(REPO) / "tests" / "peers" / "node_modules", Path(REPO) / ".venv" / "node_modules"):
        if (folder / "openai").is_dir():
            return folder
    return None


def test_the_client_for_node_is_cut_in_the_middle_too(clients):
    if not shutil.which("node"):
        pytest.skip("this machine has no Node")
    packages = node_packages()
    if not packages:
        pytest.skip("the package `openai` for Node is not installed; tests/run installs it where npm is there")
    script = packages.parent / "portcullis_story.mjs"
    script.write_text(NODE)
    env = dict(clients.env(), BASE=f"{clients.gateway}/v1", KEY=clients.keys["agent"])
    child = subprocess.Popen(["node", script], env=env, stdout=subprocess.PIPE, text=True)
    try:
        said = lambda: json.loads(child.stdout.readline())
        assert said() == {"whole": "w0 w1 w2 "}
        assert said() == {"flowing": True}
        incident = clients.cut("LLM")["incident"]
        last = said()
        assert last["api"] is True and f"incident #{incident}" in last["message"], last
        assert child.wait(10) == 0
    finally:
        child.kill()
        script.unlink()
