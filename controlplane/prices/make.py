#!/usr/bin/env python3
"""Makes data/prices.json from LiteLLM's price table (MIT licence, BerriAI).

    python3 controlplane/prices/make.py TABLE VERSION DATE > controlplane/prices/data/prices.json

TABLE is `litellm/model_prices_and_context_window_backup.json` of an installed `litellm`, VERSION its version, DATE
the day it was taken. Amounts are US dollars a million tokens, written exactly: nothing is rounded, and a price
that is finer than a millionth of a dollar a million tokens stops the run.
"""

import json
import sys
from decimal import Decimal

# Providers as the table names them, and what stands before the model's own name there.
PROVIDERS = {
    "openai": "openai/",
    "text-completion-openai": "",
    "anthropic": "anthropic/",
    "gemini": "gemini/",
    "mistral": "mistral/",
    "deepseek": "deepseek/",
    "xai": "xai/",
    "bedrock": "bedrock/",
    "bedrock_converse": "bedrock/",
}
MODES = {"chat", "completion", "responses", "embedding", "realtime"}
RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_hour": "cache_creation_input_token_cost_above_1hr",
}
# What a model hears and speaks, where it is sold at another price than text.
SOUND = {
    "input": "input_cost_per_audio_token",
    "output": "output_cost_per_audio_token",
    "cached": "cache_read_input_audio_token_cost",
}
TIERS = (128, 200, 272)


def per_million(model, price):
    scaled = Decimal(price) * 1_000_000
    if scaled != scaled.quantize(Decimal("0.000001")):
        sys.exit(f"{model}: {price} a token is finer than the table can hold")
    text = format(scaled.quantize(Decimal("0.000001")), "f").rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}"


def rates(model, entry, suffix):
    found = {}
    for name, key in RATES.items():
        price = entry.get(key + suffix)
        # Where nothing is charged apart, the table says 0 or nothing.
        if price is not None and (price > 0 or name == "output"):
            found[name] = per_million(model, price)
    return found


def price_of(model, entry):
    price = rates(model, entry, "")
    # Zero stands there for what is not known or not sold by the token.
    if "input" not in price or "output" not in price:
        return None
    if price["output"] == "0.00" and entry["mode"] != "embedding":
        return None
    sound = {name: per_million(model, entry[key]) for name, key in SOUND.items() if entry.get(key)}
    text = {name: price[name] for name in ("input", "output")}
    if text | sound != text:
        price["sound"] = text | sound
    for tier in TIERS:
        above = rates(model, entry, f"_above_{tier}k_tokens")
        if "input" in above or "output" in above:
            price["above"] = {"tokens": tier * 1000} | {
                name: price[name] for name in ("input", "output") if name in price
            } | above
    return price


def main():
    table, version, date = sys.argv[1:]
    with open(table, encoding="utf-8") as file:
        entries = json.load(file, parse_float=Decimal)
    models = {}
    for name, entry in sorted(entries.items()):
        provider = entry.get("litellm_provider")
        if provider not in PROVIDERS or entry.get("mode") not in MODES:
            continue
        price = price_of(name, entry)
        if price is None:
            continue
        bare = name.removeprefix(PROVIDERS[provider])
        # Regions, sizes of pictures, committed throughput: names with a path are not what clients ask for.
        if "/" not in bare:
            models.setdefault(bare, price)
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(price, separators=(',', ':'))}" for name, price in sorted(models.items()))
    head = {
        "source": f"https://github.com/BerriAI/litellm, model_prices_and_context_window_backup.json of release {version}",
        "licence": "MIT",
        "taken": date,
        "unit": "US dollars a million tokens",
    }
    print(json.dumps(head, indent=1)[:-2] + ',\n "models":{\n' + lines + "\n}}")


main()
