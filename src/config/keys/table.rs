//! The rows. The names are the original's where it had one; ours follow the same pattern.

use super::{Key, Kind, Meaning, Range, Role};

const ALL: &[Role] = Role::ALL;
/// Roles that ask miners.
const ASKING: &[Role] = &[Role::Validator, Role::Localnet];
/// Roles that answer a validator.
const ANSWERING: &[Role] = &[Role::Miner, Role::Localnet];
/// Roles that meet a real chain.
const CHAINED: &[Role] = &[Role::Validator, Role::Miner];
const VALIDATOR: &[Role] = &[Role::Validator];
const MINER: &[Role] = &[Role::Miner];
const LOCALNET: &[Role] = &[Role::Localnet];

const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

const UNIT: Range = Range::closed(0.0, 1.0);
const SHARE: Range = Range::above(0.0, 1.0);
const PORT: Kind = Kind::Integer { min: 1, max: 65_535 };
const ANY_NUMBER: Kind = Kind::Integer { min: 0, max: u64::MAX };
const AT_LEAST_ONE: Kind = Kind::Integer { min: 1, max: u64::MAX };
const ANY_SECONDS: Kind = Kind::Seconds(Range::closed(0.0, DAY));
const FILE_SIZE: Kind = Kind::Integer { min: 4_096, max: u64::MAX };

const API: &str = "answering API users through miners";
const MOCK: &str = "a mock chain (`sn1 localnet` runs everything without a chain)";

const fn used(name: &'static str, kind: Kind, roles: &'static [Role], help: &'static str) -> Key {
    Key { name, kind, roles, optional: false, meaning: Meaning::Used, help }
}

const fn maybe(name: &'static str, kind: Kind, roles: &'static [Role], help: &'static str) -> Key {
    Key { name, kind, roles, optional: true, meaning: Meaning::Used, help }
}

const fn ignored(name: &'static str, kind: Kind, why: &'static str) -> Key {
    Key { name, kind, roles: ALL, optional: true, meaning: Meaning::Ignored { why }, help: why }
}

const fn later(name: &'static str, kind: Kind, default: &'static str, what: &'static str) -> Key {
    let meaning = Meaning::Later { what, default };
    Key { name, kind, roles: ALL, optional: true, meaning, help: what }
}

/// Short flags and the keys they mean. `--axon_off` is the original's; the others are ours.
pub const ALIASES: &[(&str, &str)] = &[
    ("steps", "run.steps"),
    ("seed", "run.seed"),
    ("summary", "run.summary"),
    ("journal", "journal.file"),
    ("in-flight", "neuron.num_concurrent_forwards"),
    ("model", "neuron.model_id"),
    ("miner-delay", "localnet.miner_delay"),
    ("external-miner", "localnet.external_miners"),
    ("axon_off", "neuron.axon_off"),
    ("temperature", "neuron.temperature"),
    ("top-k", "neuron.top_k"),
    ("top-p", "neuron.top_p"),
    ("precision", "engine.precision"),
    ("threads", "engine.threads"),
];

/// Every key there is.
#[rustfmt::skip] // one row a key, to be read as a table
pub const KEYS: &[Key] = &[
    maybe("netuid", Kind::Integer { min: 0, max: 65_535 }, ALL, "number of the subnet; only localnet has a default"),
    maybe("run.seed", ANY_NUMBER, ALL, "seed of every random draw; drawn anew when left out"),
    maybe("run.steps", AT_LEAST_ONE, ASKING, "stop after this many steps, which are scored turns of conversations; endless when left out"),
    maybe("run.summary", Kind::Path, ASKING, "file for a JSON summary of the run"),
    maybe("journal.file", Kind::Path, ALL, "JSONL file for every event; in the state folder when left out"),
    used("journal.max_bytes", FILE_SIZE, ALL, "size at which the journal starts a new file"),
    maybe("models.dir", Kind::Path, ALL, "folder of model files; the cache when left out"),

    used("neuron.tasks", Kind::TextList, ASKING, "kinds of task"),
    used("neuron.task_p", Kind::FloatList(UNIT), ASKING, "probability of each kind; they sum to 1"),
    used("neuron.timeout", Kind::Seconds(Range::above(0.0, HOUR)), ASKING, "how long a miner has to answer"),
    used("neuron.num_concurrent_forwards", Kind::Integer { min: 1, max: 1_024 }, ASKING, "conversations in flight at a time"),
    used("neuron.sample_size", Kind::Integer { min: 1, max: 65_535 }, ASKING, "miners asked in one step"),
    used("neuron.moving_average_alpha", Kind::Float(SHARE), ASKING, "how much a new score counts in the moving average"),
    used("neuron.epoch_length", AT_LEAST_ONE, VALIDATOR, "blocks between two settings of weights"),
    used("localnet.crash_every", Kind::Seconds(Range::closed(0.0, HOUR)), LOCALNET, "have an actor crash so often, on average, to see what that costs; 0 is never"),
    used("localnet.outage", Kind::Seconds(Range::closed(0.0, HOUR)), LOCALNET, "have the chain be away for so long at a time; 0 is never"),
    used("localnet.outage_every", Kind::Seconds(Range::above(0.0, HOUR)), LOCALNET, "how long the chain is there before each outage"),
    used("persona.profiles", Kind::TextList, ASKING, "what people do in life"),
    used("persona.moods", Kind::TextList, ASKING, "how people feel"),
    used("persona.tones", Kind::TextList, ASKING, "how people talk"),
    used("persona.goal", Kind::Text, ASKING, "what tells that a person has what it wants: reward, judgement"),
    used("persona.reward_threshold", Kind::Float(UNIT), ASKING, "reward of the best answer at which a person has what it wants"),
    used("persona.max_turns", Kind::Integer { min: 1, max: 8 }, ASKING, "turns of one conversation; each is a step"),
    used("rewards.copies", Kind::Text, ASKING, "what copies of an earlier answer earn: first (nothing), share, off"),
    used("rewards.copy_likeness", Kind::Float(SHARE), ASKING, "how like an earlier answer a copy is, at least"),
    used("rewards.copy_words", AT_LEAST_ONE, ASKING, "answers of fewer words copy nobody"),
    used("rewards.speed_weight", Kind::Float(UNIT), ASKING, "part of its reward that an answer loses if it comes at the last moment"),
    used("rewards.steepness", Kind::Float(Range::closed(0.5, 1.0)), ASKING, "how far the best answer of a step is ahead of the rest; 0.5 leaves rewards as they are"),
    used("weights.min_steps", ANY_NUMBER, ASKING, "set no weights before so many scored steps"),
    used("weights.min_scored_fraction", Kind::Float(UNIT), ASKING, "set no weights before this part of the miners has a score"),
    used("weights.spec_version", ANY_NUMBER, ASKING, "version that weights are set as; a subnet refuses those below its own"),
    used("neuron.disable_set_weights", Kind::Bool, VALIDATOR, "score, but set no weights; commits made before are still revealed"),
    used("neuron.axon_off", Kind::Bool, VALIDATOR, "do not publish an axon on chain"),
    used("neuron.vpermit_tao_limit", ANY_NUMBER, ASKING, "do not ask neurons with a validator permit and more stake than this, in TAO"),
    used("neuron.query_unique_coldkeys", Kind::Bool, ASKING, "ask one hotkey a coldkey in one step"),
    used("neuron.query_unique_ips", Kind::Bool, ASKING, "ask one hotkey an IP address in one step"),
    used("neuron.streaming", Kind::Bool, ASKING, "ask miners by the streaming synapse"),

    used("neuron.model_id", Kind::Text, ALL, "name of the text model"),
    used("neuron.embedder_id", Kind::Text, ASKING, "name of the embedding model"),
    used("neuron.device", Kind::Text, ALL, "where models run: cpu, cuda or cuda:N"),
    used("neuron.max_tokens", Kind::Integer { min: 1, max: 131_072 }, ALL, "most tokens in one generated text"),
    used("neuron.temperature", Kind::Float(Range::closed(0.0, 10.0)), ALL, "sampling temperature; 0 takes the likeliest token"),
    used("neuron.top_k", Kind::Integer { min: 0, max: 1_000_000 }, ALL, "sample among this many likeliest tokens; 0 is all"),
    used("neuron.top_p", Kind::Float(SHARE), ALL, "sample among the likeliest tokens up to this probability"),
    used("neuron.name", Kind::Text, CHAINED, "name of the neuron; last part of its state folder"),

    used("engine.precision", Kind::Text, ALL, "how exactly the text model computes on the processor: faithful, fast (8 bits, spoils small models), f32"),
    maybe("engine.threads", Kind::Integer { min: 1, max: 1_024 }, ALL, "threads of the models on the processor; one a core when left out"),
    used("engine.kv_tokens", Kind::Integer { min: 32, max: 1 << 22 }, ALL, "tokens that the KV cache holds, all texts together"),
    used("engine.prefix_cache", Kind::Bool, ALL, "read what several prompts begin with only once"),
    used("engine.max_sequences", Kind::Integer { min: 1, max: 1_024 }, ALL, "texts written at a time"),
    used("engine.prefill_tokens", Kind::Integer { min: 1, max: 65_536 }, ALL, "prompt tokens read in one step"),
    used("engine.dtype", Kind::Text, ALL, "numbers of the text model on a CUDA device: auto, f32, bf16, f16"),
    maybe("engine.servers", Kind::TextList, ALL, "base addresses of model servers that speak the OpenAI protocol; left out, the text model runs here"),
    maybe("engine.server_model", Kind::Text, ALL, "name of the text model on the servers; their only one when left out"),
    used("engine.server_in_flight", Kind::Integer { min: 1, max: 4_096 }, ALL, "requests at a time to one model server"),
    maybe("engine.server_key_env", Kind::Text, ALL, "environment variable that holds the servers' key; none is sent when left out"),

    used("miner.kind", Kind::Text, MINER, "what answers: model, agent, openai, echo, phrase, mock, slow"),
    used("miner.mock_delay", Kind::Seconds(Range::closed(0.0, HOUR)), ANSWERING, "how long a mock miner takes, on average"),
    used("miner.mock_failures", Kind::Float(UNIT), ANSWERING, "part of the questions that a mock miner does not answer"),
    used("miner.self_weights", Kind::Bool, MINER, "set a weight on itself, as the original's miners did"),
    used("openai.model_name", Kind::Text, ANSWERING, "model that an openai miner asks for"),
    used("openai.base_url", Kind::Text, ANSWERING, "address of the server that an openai miner asks, without /v1"),
    used("openai.key_env", Kind::Text, ANSWERING, "environment variable that holds its key"),
    used("openai.daily_tokens", ANY_NUMBER, ANSWERING, "tokens a day that an openai miner may use; 0 is no limit"),
    used("neuron.system_prompt", Kind::Text, ANSWERING, "system prompt of the miner's model"),
    used("neuron.phrase", Kind::Text, ANSWERING, "what a phrase miner says"),
    used("tools.sources", Kind::TextList, ALL, "where contexts come from, the preferred one first: wikipedia, zim, stackexchange, code, maths, builtin"),
    maybe("tools.contact", Kind::Text, ALL, "mail or web address that wikipedia and stackexchange are told whom to write to; they need one"),
    used("tools.prefetch", Kind::Integer { min: 0, max: 64 }, ASKING, "contexts of each kind that are fetched ahead from each slow source"),
    used("tools.requests_per_second", Kind::Float(Range::above(0.0, 100.0)), ALL, "requests a second to one host"),
    used("tools.in_flight", Kind::Integer { min: 1, max: 16 }, ALL, "requests at a time to one host"),
    used("tools.timeout", Kind::Seconds(Range::above(0.0, 600.0)), ALL, "how long one request to a source may take"),
    used("tools.tries", Kind::Integer { min: 1, max: 10 }, ALL, "tries of one request to a source"),
    maybe("tools.cache", Kind::Path, ALL, "folder of articles that wikipedia brought; the user's cache when left out"),
    used("tools.cache_bytes", ANY_NUMBER, ALL, "size that this folder is kept under; 0 keeps nothing"),
    used("tools.wikipedia_api", Kind::Text, ALL, "api.php of the MediaWiki that wikipedia stands for"),
    maybe("tools.wikipedia_token_env", Kind::Text, ALL, "environment variable that holds its bearer token; none is sent when left out"),
    used("tools.stackexchange_api", Kind::Text, ALL, "address of the Stack Exchange API, with its version"),
    used("tools.stackexchange_site", Kind::Text, ALL, "site that is asked there"),
    maybe("tools.stackexchange_key_env", Kind::Text, ALL, "environment variable that holds the key of the application there; none is sent when left out"),
    maybe("tools.zim_files", Kind::PathList, ALL, "ZIM files that zim reads"),
    maybe("tools.code_folder", Kind::Path, ALL, "folder of source files that code reads"),

    used("blacklist.force_validator_permit", Kind::Bool, ANSWERING, "refuse callers without a validator permit"),
    used("blacklist.allow_non_registered", Kind::Bool, ANSWERING, "answer callers that are not registered"),
    used("blacklist.min_stake", ANY_NUMBER, ANSWERING, "refuse callers with less stake than this, in TAO"),
    maybe("blacklist.hotkeys", Kind::TextList, ANSWERING, "hotkeys that are refused, whoever they are"),
    maybe("blacklist.allow_hotkeys", Kind::TextList, ANSWERING, "hotkeys that are answered, whatever else is said of them"),

    used("gateway.enabled", Kind::Bool, ASKING, "open a door for API users, whose queries go to miners"),
    used("gateway.ip", Kind::Ip, ASKING, "address that the gateway listens on"),
    used("gateway.port", Kind::Integer { min: 0, max: 65_535 }, ASKING, "port that the gateway listens on; 0 takes a free one"),
    maybe("gateway.cors_origins", Kind::TextList, ASKING, "origins whose web pages may ask; none when left out"),
    used("gateway.choose", Kind::Text, ASKING, "which answer a user gets: first (good one), best (by score)"),
    used("gateway.in_flight", Kind::Integer { min: 1, max: 65_536 }, ASKING, "users who wait for an answer at a time"),
    used("gateway.rounds", Kind::Integer { min: 1, max: 65_536 }, ASKING, "users' rounds under way at a time, also those whose user has an answer"),
    used("gateway.max_body", Kind::Integer { min: 1_024, max: 1 << 24 }, ASKING, "longest request in bytes"),
    maybe("gateway.max_context", Kind::Integer { min: 16, max: 1 << 22 }, ASKING, "longest chat with its answer, in tokens; what the text model reads when left out"),
    used("gateway.rhythm", Kind::Seconds(Range::closed(0.0, 5.0)), ASKING, "time from one round of queries to the next, on average; 0 sends each at once"),
    used("gateway.scored", Kind::Integer { min: 0, max: 1_024 }, ASKING, "users' queries whose answers are scored at a time, and beyond the validator's own steps in all"),
    used("gateway.log_texts", Kind::Bool, ASKING, "write what users ask and are answered into the journal"),

    used("console.listen", Kind::Listen, ALL, "address of /metrics, of /health and, of a validator, of the page that shows the run, as 127.0.0.1:9090; port 0 takes a free one; or off"),
    used("health.max_head_age", Kind::Seconds(Range::above(0.0, HOUR)), ALL, "not ready when the newest block is older than this"),
    used("health.max_weights_age", AT_LEAST_ONE, ASKING, "not ready when the weights are older than this, in blocks"),
    used("health.max_model_silence", Kind::Seconds(Range::above(0.0, HOUR)), ALL, "not ready when the model does nothing for so long although it is asked"),

    used("wandb.off", Kind::Bool, ASKING, "write no wandb runs, whatever wandb.offline says"),
    used("wandb.offline", Kind::Bool, ASKING, "write each step into a wandb run on disk, to be sent with `wandb sync`"),
    used("wandb.project_name", Kind::Text, ASKING, "project of the runs"),
    maybe("wandb.entity", Kind::Text, ASKING, "owner of the project; whoever sends the runs when left out"),
    maybe("wandb.notes", Kind::Text, ASKING, "notes of the runs"),
    maybe("wandb.dir", Kind::Path, ASKING, "folder of the runs; `wandb` beside the journal when left out"),
    used("wandb.max_bytes", FILE_SIZE, ASKING, "most bytes of all runs in the folder; further steps are left out of them"),

    used("localnet.miners", Kind::TextList, LOCALNET, "kinds of the miners, one a miner"),
    maybe("localnet.external_miners", Kind::Repeated, LOCALNET, "miner of another process to admit, as HOST:PORT=SS58; may be repeated"),
    used("localnet.miner_delay", Kind::Seconds(Range::closed(0.0, HOUR)), LOCALNET, "how long each miner waits before it answers"),
    used("localnet.block_time", Kind::Seconds(Range::above(0.0, HOUR)), LOCALNET, "time from block to block"),
    used("localnet.tempo", Kind::Integer { min: 1, max: 65_535 }, LOCALNET, "blocks between two settings of weights"),

    used("wallet.name", Kind::Text, CHAINED, "name of the coldkey"),
    used("wallet.hotkey", Kind::Text, CHAINED, "name of the hotkey"),
    used("wallet.path", Kind::Path, CHAINED, "folder of the wallets"),
    maybe("wallet.password_file", Kind::Path, CHAINED, "file with the password of an encrypted key; the SDK's variable or a question when left out"),
    maybe("subtensor.network", Kind::Text, ALL, "chain to join: finney, test, local, archive; there is no default"),
    maybe("subtensor.chain_endpoint", Kind::TextList, ALL, "ws:// or wss:// addresses instead of the network's own; the next is taken where one fails"),
    used("public.allow_small_model", Kind::Bool, VALIDATOR, "on a public network, take a model too weak to judge by"),
    used("public.allow_embedded_corpus", Kind::Bool, VALIDATOR, "on a public network, take contexts that miners can learn by heart"),
    used("public.allow_development_keys", Kind::Bool, CHAINED, "on a public network, sign with a key that everybody knows"),
    used("axon.port", PORT, CHAINED, "port to listen on"),
    used("axon.ip", Kind::Ip, CHAINED, "address to listen on"),
    maybe("axon.external_ip", Kind::Ip, CHAINED, "address published on chain, where it differs"),
    maybe("axon.external_port", PORT, CHAINED, "port published on chain, where it differs"),
    used("axon.max_workers", Kind::Integer { min: 1, max: 1_024 }, CHAINED, "requests answered at a time"),
    used("axon.legacy_nonce", Kind::Bool, ANSWERING, "answer callers with a bittensor older than 7.2, whose nonces are no wall-clock times"),
    used("axon.max_connections", Kind::Integer { min: 1, max: 65_536 }, MINER, "connections at a time"),
    used("axon.max_connections_per_address", Kind::Integer { min: 1, max: 65_536 }, MINER, "connections of one address at a time"),
    used("axon.requests_per_second", Kind::Integer { min: 0, max: 1_000_000 }, MINER, "requests a second of one registered hotkey; 0 is no limit"),
    used("logging.debug", Kind::Bool, ALL, "log more"),
    used("logging.trace", Kind::Bool, ALL, "log everything"),
    maybe("logging.file", Kind::Path, ALL, "file for the log of validator, miner or localnet; standard error when left out"),
    used("logging.format", Kind::Text, ALL, "how a line of the log looks: text, json"),
    used("logging.max_bytes", FILE_SIZE, ALL, "size at which the log starts a new file; four older ones are kept"),
    used("logging.logging_dir", Kind::Path, CHAINED, "folder under which each neuron has its state"),

    ignored("logging.record_log", Kind::Bool, "logs are always written: to standard error, or to `logging.file`"),
    ignored("no_background_thread", Kind::Bool, "there is no background thread to do without"),
    ignored("neuron.events_retention_size", Kind::Text, "the journal is rotated by `journal.max_bytes`"),
    ignored("neuron.dont_save_events", Kind::Bool, "the journal is always written; `journal.file` says where"),
    ignored("neuron.log_full", Kind::Bool, "the journal always holds whole events"),
    ignored("neuron.stop_on_forward_exception", Kind::Bool, "a failure ends its conversation, never the program"),
    ignored("neuron.organic_disabled", Kind::Bool, "no API users' queries are taken"),
    ignored("wandb.on", Kind::Bool, "a miner's queries are in its journal alone"),

    later("wandb.online", Kind::Bool, "false", "sending (write runs with `wandb.offline` and send them with `wandb sync DIR`, from cron for example)"),
    later("mock", Kind::Bool, "false", MOCK),
    later("subtensor._mock", Kind::Bool, "false", MOCK),
    later("neuron.decay_alpha", Kind::Float(UNIT), "0", "decay of the scores of unasked miners"),
    later("neuron.load_in_8bit", Kind::Bool, "false", "a choice of quantisation"),
    later("neuron.load_in_4bit", Kind::Bool, "false", "a choice of quantisation"),
    later("neuron.streaming_batch_size", AT_LEAST_ONE, "12", "streamed answers"),
    later("neuron.forward_max_time", ANY_SECONDS, "120", "a time limit on whole conversations"),
    later("neuron.gpus", ANY_NUMBER, "1", "several GPUs"),
    later("neuron.llm_max_allowed_memory_in_gb", ANY_NUMBER, "62", "a budget of GPU memory"),
    later("neuron.organic_sample_size", AT_LEAST_ONE, "5", API),
    later("neuron.organic_sampling_mode", Kind::Text, "random", API),
    later("neuron.organic_set_weights_enabled", Kind::Bool, "false", API),
    later("neuron.organic_synth_reward_scale", Kind::Float(UNIT), "0.1", API),
    later("neuron.organic_reuse_response_disabled", Kind::Bool, "false", API),
    later("neuron.organic_timeout", ANY_SECONDS, "30", API),
    later("neuron.organic_reference_max_tokens", AT_LEAST_ONE, "1024", API),
    later("neuron.organic_trigger", Kind::Text, "seconds", API),
    later("neuron.organic_trigger_frequency", ANY_SECONDS, "120", API),
    later("neuron.organic_trigger_frequency_min", ANY_SECONDS, "5", API),
    later("neuron.organic_scaling_factor", Kind::Float(Range::closed(0.0, 1e6)), "1", API),
    later("neuron.organic_whitelist_hotkey", Kind::Text, "", API),
];
