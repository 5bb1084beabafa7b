"""What lets one script run on SDK 6.6 and on SDK 10.5, without a network and without a chain.

The SDK looks up its own address on the internet and listens on every interface; here it does
neither. Keys come from development URIs such as `//Alice`. Import this before anything of the SDK.
"""

import os
import sys
import warnings
from types import SimpleNamespace
from typing import Any, AsyncIterator, List

# The SDK reads the command line of whoever imports it; the script's own is kept.
ARGUMENTS = sys.argv[1:]
sys.argv = sys.argv[:1]
os.environ["BT_NO_PARSE_CLI_ARGS"] = "1"
warnings.filterwarnings("ignore")

import bittensor
import pydantic
from bittensor.utils import networking

# Not 127.0.0.1: to its own address the dendrite dials 0.0.0.0 instead.
networking.get_external_ip = lambda: "127.0.0.2"

IS_OLD = bittensor.__version__.startswith("6.")
if IS_OLD:
    VERSION = bittensor.__version_as_int__
    Axon, Dendrite, Keypair = bittensor.axon, bittensor.dendrite, bittensor.Keypair
    AxonInfo, Synapse, StreamingSynapse = (
        bittensor.AxonInfo,
        bittensor.Synapse,
        bittensor.StreamingSynapse,
    )
else:
    from bittensor.core.axon import Axon
    from bittensor.core.chain_data import AxonInfo
    from bittensor.core.dendrite import Dendrite
    from bittensor.core.settings import version_as_int as VERSION
    from bittensor.core.stream import StreamingSynapse
    from bittensor.core.synapse import Synapse
    from bittensor_wallet import Keypair

    # It would log to standard output, where the scripts print.
    bittensor.logging.off()

# A field that replies cannot change; pydantic 1 has another word for it.
FROZEN = {"allow_mutation": False} if IS_OLD else {"frozen": True}


class PromptingSynapse(Synapse):
    """SN1's synapse."""

    roles: List[str] = pydantic.Field(..., **FROZEN)
    messages: List[str] = pydantic.Field(..., **FROZEN)
    completion: str = ""
    required_hash_fields: List[str] = pydantic.Field(["messages"], **FROZEN)

    def deserialize(self) -> "PromptingSynapse":
        return self


class StreamPromptingSynapse(StreamingSynapse):
    """SN1's streaming synapse. Like SN1's, it takes every chunk for whole characters."""

    roles: List[str] = pydantic.Field(..., **FROZEN)
    messages: List[str] = pydantic.Field(..., **FROZEN)
    required_hash_fields: List[str] = pydantic.Field(["messages"], **FROZEN)
    completion: str = ""

    async def process_streaming_response(self, response: Any) -> AsyncIterator[str]:
        async for chunk in response.content.iter_any():
            text = chunk.decode("utf-8")
            self.completion += text
            yield text

    def deserialize(self) -> str:
        return self.completion

    def extract_response_json(self, response: Any) -> dict:
        def end(prefix: str) -> dict:
            named = response.headers.items()
            return {name[len(prefix) :]: text for name, text in named if name.startswith(prefix)}

        return {
            "name": response.headers.get("name", ""),
            "axon": end("bt_header_axon_"),
            "dendrite": end("bt_header_dendrite_"),
            "roles": self.roles,
            "messages": self.messages,
            "completion": self.completion,
        }


def axon(uri: str, port: int) -> Axon:
    """An axon of a development key that listens on loopback once it is started."""
    key = Keypair.create_from_uri(uri)
    wallet = SimpleNamespace(hotkey=key, coldkey=key, coldkeypub=key, name="", hotkey_str=uri)
    made = Axon(
        wallet=wallet,
        port=port,
        ip="127.0.0.1",
        external_ip="127.0.0.1",
        external_port=port,
        max_workers=10,
    )
    made.fast_config.host = "127.0.0.1"
    return made


def dendrite(uri: str) -> Dendrite:
    """A dendrite of a development key."""
    return Dendrite(wallet=Keypair.create_from_uri(uri))


def target(hotkey: str, port: int) -> AxonInfo:
    """An axon on loopback, as a metagraph would describe it."""
    return AxonInfo(
        version=VERSION,
        ip="127.0.0.1",
        port=port,
        ip_type=4,
        hotkey=hotkey,
        coldkey=hotkey,
        protocol=4,
        placeholder1=0,
        placeholder2=0,
    )
