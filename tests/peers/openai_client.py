"""The official OpenAI client that asks, one after the other, what a file lists.

Usage: openai_client.py URL FILE

URL is the base URL of a gateway. The file is a JSON list of objects:
  key    the API key
  ask    the arguments of chat.completions.create; without it the models are listed
  leave  hangs up on a stream: "at once", when the reply has begun, or "early", after the first
         chunk that has text
  times  asks as often, and tells of the last one; 1 if absent

Prints a line of JSON for each: the error's class, status, code, parameter, message and headers, if
there was one, and else what came. Nothing is asked a second time after an error.
"""

import json
import sys

import openai


def stream(client: openai.OpenAI, ask: dict, leave: str) -> dict:
    told = {"text": "", "chunks": 0, "finish": None, "usage": None}
    with client.chat.completions.create(**ask) as chunks:
        if leave == "at once":
            return told
        for chunk in chunks:
            if chunk.usage:
                told["usage"] = chunk.usage.model_dump(exclude_none=True)
            for choice in chunk.choices:
                told["finish"] = choice.finish_reason or told["finish"]
                if choice.delta.content:
                    told["text"] += choice.delta.content
                    told["chunks"] += 1
                    if leave == "early":
                        return told
    return told


def whole(client: openai.OpenAI, ask: dict) -> dict:
    completion = client.chat.completions.create(**ask)
    (choice,) = completion.choices
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "usage": completion.usage.model_dump(exclude_none=True),
        "model": completion.model,
    }


def listed(client: openai.OpenAI) -> dict:
    models = [model.id for model in client.models.list()]
    return {"models": models, "first": client.models.retrieve(models[0]).id}


def once(client: openai.OpenAI, todo: dict) -> dict:
    if "ask" not in todo:
        return listed(client)
    if todo["ask"].get("stream"):
        return stream(client, todo["ask"], todo.get("leave", ""))
    return whole(client, todo["ask"])


def tell(url: str, todo: dict) -> dict:
    client = openai.OpenAI(base_url=url, api_key=todo["key"], max_retries=0, timeout=120)
    try:
        with client:
            for _ in range(todo.get("times", 1)):
                told = once(client, todo)
            return told
    except openai.APIError as error:
        response = getattr(error, "response", None)
        return {
            "error": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": error.code,
            "param": error.param,
            "message": error.message,
            "headers": dict(response.headers) if response is not None else {},
        }


def main() -> None:
    url, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        todos = json.load(file)
    for todo in todos:
        print(json.dumps(tell(url, todo)), flush=True)


main()
